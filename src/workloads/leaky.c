/*
 * leaky.c - the workload of /leaky, as the exercise gives it.
 *
 * In C, "leak" makes one think of a pointer that was lost.  Nothing is lost
 * here: every block can be reached, through a map, from a pointer that the
 * server holds.  valgrind would call it "still reachable" and say no more, and
 * a garbage collector would not free one byte of it.  It is the commoner kind
 * of leak in servers that run for weeks: memory that somebody still owns, and
 * nobody will ever use.
 *
 * One heap profile shows what is in use, which is not a leak yet.  Two, some
 * load apart, show what grew:
 *
 *   curl -o before.pb.gz http://HOST/debug/pprof/heap
 *   proflab-load -scenario=leaky -duration=20s
 *   curl -o after.pb.gz http://HOST/debug/pprof/heap
 *   proflab-pprof -top -base before.pb.gz after.pb.gz
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

enum { KEY_TEXT = 48 };

/* What is known about a block beside its bytes: so far, nothing. */
struct metadata {
	size_t count;
};

struct block {
	char key[KEY_TEXT]; /* "leak_<ns>_<i>" */
	int64_t created_ns;
	unsigned char *bytes;	   /* owned, LEAKY_BLOCK_BYTES */
	struct metadata *metadata; /* owned */
	bool lost;
	UT_hash_handle hh;
};

/* The server's data map.  It lives as long as the server does. */
struct data_store {
	pthread_mutex_t lock; /* guards all that follows */
	struct block *blocks; /* owned, by key */
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
	*ret_store = store;
	return 0;
}

static void free_block(struct block *block)
{
	if (!block)
		return;
	free(block->metadata);
	free(block->bytes);
	free(block);
}

/*
 * All that keeps a block is its entry in the map.  Take the entries out, and
 * the memory can be freed: so it was this reference and no other.  A heap
 * profile cannot show who holds a block; this can.
 */
ON_STACK size_t data_store_clear(struct data_store *store)
{
	struct block *block, *next;
	pthread_mutex_lock(&store->lock);
	const size_t size = HASH_COUNT(store->blocks);
	HASH_ITER(hh, store->blocks, block, next)
	{
		HASH_DEL(store->blocks, block);
		free_block(block);
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

/*
 * Byte by byte, each from the one before: some ten thousand steps that cannot
 * overlap.  In a CPU profile of this route it is all there is.  Note who is
 * waiting meanwhile.
 */
static ON_STACK void fill_block(unsigned char *bytes, unsigned seed)
{
	unsigned state = seed;
	for (size_t i = 0; i < LEAKY_BLOCK_BYTES; i++) {
		state = state * 1103515245u + 12345u;
		bytes[i] = (unsigned char)(state >> 16);
	}
}

/*
 * The request.  Three mallocs and an entry in the hash for every block; which
 * of the lines below holds the memory that stays, `list` says to the byte:
 *
 *   proflab-pprof -inuse_space -list=create_leaky http://HOST/debug/pprof/heap
 *
 * The lock is taken once, before the first block, and given back after the
 * last.  That is correct, and simple.  When you have dealt with the memory,
 * collect a mutex profile under the same load.
 */
ON_STACK int create_leaky_structures(struct data_store *store, int64_t size,
				     size_t *ret_data_size)
{
	if (size < 0 || size > LEAKY_SIZE_MAX)
		return ERR_INVALID;
	int rc = 0;
	pthread_mutex_lock(&store->lock);
	/*
	 * The ceiling keeps the machine alive during the exercise.  It mends
	 * nothing: a server that answers 503 for ever after is as dead to its
	 * users as one that was killed for its memory.
	 */
	if (HASH_COUNT(store->blocks) + (size_t)size > store->max_blocks)
		rc = ERR_LIMIT;
	for (int64_t i = 0; i < size && !rc; i++) {
		struct block *block = calloc(1, sizeof(*block));
		if (block) {
			block->bytes = malloc(LEAKY_BLOCK_BYTES);
			block->metadata = calloc(1, sizeof(*block->metadata));
		}
		if (!block || !block->bytes || !block->metadata) {
			free_block(block);
			rc = ERR_NOMEM;
			break;
		}
		block->created_ns = clock_realtime_ns();
		snprintf(block->key, sizeof(block->key),
			 "leak_%" PRId64 "_%" PRId64, block->created_ns, i);
		fill_block(block->bytes, (unsigned)i);
		HASH_ADD_STR(store->blocks, key, block);
		if (block->lost) {
			free_block(block);
			rc = ERR_NOMEM;
		}
	}
	if (!rc)
		*ret_data_size = HASH_COUNT(store->blocks);
	pthread_mutex_unlock(&store->lock);
	return rc;
}

/* data_size in /stats: under load it takes its time.  For whom does it wait? */
size_t data_store_size(struct data_store *store)
{
	pthread_mutex_lock(&store->lock);
	const size_t size = HASH_COUNT(store->blocks);
	pthread_mutex_unlock(&store->lock);
	return size;
}
