/*
 * leaky.c - the workload of /leaky, mended.  solutions/leaky.md tells the story
 * and has the figures.
 *
 * A heap profile says who allocated what is still there.  It cannot say why it
 * is still there: that is in the source, in whatever should have taken it out
 * of the map and does not exist.  So the cure is not at the line which the
 * profile names; it is a decision that nobody had made: how many of these do
 * we keep, and which one goes when another comes?
 */
#include "workloads/leaky.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "workloads/hash.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	KEY_TEXT = 48,
	/*
	 * The decision: the newest 256, which is 2.5 MiB.  Any bound would end
	 * the leak; a small one also shows in a short exercise that the curve
	 * becomes flat.
	 */
	MAX_BLOCKS = 256,
};

struct block {
	char key[KEY_TEXT];
	int64_t created_ns;
	bool lost;
	UT_hash_handle hh;
	/* With the block, not beside it: one malloc, one free. */
	unsigned char bytes[LEAKY_BLOCK_BYTES];
};

/*
 * uthash keeps its elements in the order of their insertion, so the head is
 * the oldest, and taking it out costs the same however many there are.
 */
struct data_store {
	pthread_mutex_t lock; /* guards all that follows */
	struct block *blocks; /* owned, by key; at most max_blocks */
	size_t max_blocks;
};

int data_store_create(size_t ceiling_bytes, struct data_store **ret_store)
{
	if (!ceiling_bytes)
		ceiling_bytes = LEAKY_CEILING_BYTES_DEFAULT;
	struct data_store *store = calloc(1, sizeof(*store));
	if (!store)
		return ERR_NOMEM;
	pthread_mutex_init(&store->lock, NULL);
	store->max_blocks = ceiling_bytes / LEAKY_BLOCK_BYTES;
	if (store->max_blocks > MAX_BLOCKS)
		store->max_blocks = MAX_BLOCKS;
	*ret_store = store;
	return 0;
}

ON_STACK size_t data_store_clear(struct data_store *store)
{
	struct block *block, *next;
	pthread_mutex_lock(&store->lock);
	const size_t size = HASH_COUNT(store->blocks);
	HASH_ITER(hh, store->blocks, block, next)
	{
		HASH_DEL(store->blocks, block);
		free(block);
	}
	pthread_mutex_unlock(&store->lock);
	return size;
}

void data_store_free(struct data_store *store)
{
	if (!store)
		return;
	data_store_clear(store);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

/* As before: what a block costs to fill was not the trouble. */
static ON_STACK void fill_block(unsigned char *bytes, unsigned seed)
{
	unsigned state = seed;
	for (size_t i = 0; i < LEAKY_BLOCK_BYTES; i++) {
		state = state * 1103515245u + 12345u;
		bytes[i] = (unsigned char)(state >> 16);
	}
}

/*
 * Put the block in; when that makes one too many, take the oldest out.  The
 * lock is held for two operations on a hash table, no longer: the ten thousand
 * steps of fill_block happen before, where they are in nobody's way.
 *
 * *ret_oldest is the block that was taken out, or NULL: it is the caller's
 * now.  When there is no memory to put the block in, it is this very block.
 */
static int insert_block(struct data_store *store, struct block *block,
			struct block **ret_oldest)
{
	struct block *oldest = NULL;
	int rc = 0;
	pthread_mutex_lock(&store->lock);
	block->lost = false;
	HASH_ADD_STR(store->blocks, key, block);
	if (block->lost) {
		oldest = block;
		rc = ERR_NOMEM;
	} else if (HASH_COUNT(store->blocks) > store->max_blocks) {
		oldest = store->blocks;
		HASH_DEL(store->blocks, oldest);
	}
	pthread_mutex_unlock(&store->lock);
	*ret_oldest = oldest;
	return rc;
}

/*
 * The request.  A block that was taken out is filled anew and put in again, so
 * once the store is full, nothing is allocated at all.
 */
ON_STACK int create_leaky_structures(struct data_store *store, int64_t size,
				     size_t *ret_data_size)
{
	if (size < 0 || size > LEAKY_SIZE_MAX)
		return ERR_INVALID;
	struct block *spare = NULL;
	int rc = 0;
	for (int64_t i = 0; i < size && !rc; i++) {
		struct block *block = spare ? spare : malloc(sizeof(*block));
		spare = NULL;
		if (!block) {
			rc = ERR_NOMEM;
			break;
		}
		block->created_ns = clock_realtime_ns();
		snprintf(block->key, sizeof(block->key),
			 "leak_%" PRId64 "_%" PRId64, block->created_ns, i);
		fill_block(block->bytes, (unsigned)i);
		rc = insert_block(store, block, &spare);
	}
	free(spare);
	if (!rc)
		*ret_data_size = data_store_size(store);
	return rc;
}

/* The lock is now always free within a microsecond. */
size_t data_store_size(struct data_store *store)
{
	pthread_mutex_lock(&store->lock);
	const size_t size = HASH_COUNT(store->blocks);
	pthread_mutex_unlock(&store->lock);
	return size;
}
