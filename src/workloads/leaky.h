/*
 * leaky.h - the workload of /leaky: blocks of 10 KiB put into a map that the
 * server keeps for as long as it lives.
 *
 * src/workloads/leaky.c is the variant that the exercise gives the learner;
 * solutions/leaky.c is its fixed twin (--with-fixed).
 *
 * Every block is stored under a key of its own, "leak_<nanoseconds>_<number>",
 * that nobody will ever ask for again.  The store has a ceiling: a request
 * that would pass it is refused whole with ERR_LIMIT, which the route answers
 * as 503, so that the exercise ends with a lesson and not with the machine out
 * of memory.
 */
#ifndef PROFLAB_WORKLOADS_LEAKY_H
#define PROFLAB_WORKLOADS_LEAKY_H

#include <stddef.h>
#include <stdint.h>

enum {
	LEAKY_SIZE_DEFAULT = 1000,
	LEAKY_SIZE_MAX = 10000,
	LEAKY_BLOCK_BYTES = 10 * 1024,
	/* 512 MiB of blocks: the default of the server's flag. */
	LEAKY_CEILING_BYTES_DEFAULT = 512 << 20,
};

/* The server's data map and its lock.  Opaque: each variant has its own. */
struct data_store;

/*
 * An empty store that will never hold more than ceiling_bytes of blocks
 * (0: the default).
 *
 * Owns: the caller; data_store_free.
 * Returns: 0, ERR_NOMEM.
 */
int data_store_create(size_t ceiling_bytes, struct data_store **ret_store);

/* Everything in it too.  NULL is allowed.  Thread: the last user. */
void data_store_free(struct data_store *store);

/*
 * Put size new blocks in, each filled byte by byte.  *ret_data_size is the
 * number of blocks in the store afterwards.
 *
 * size must be in [0, LEAKY_SIZE_MAX].
 *
 * Thread: any number at once.
 * Blocks: on the store's lock.
 * Returns: 0; ERR_INVALID; ERR_LIMIT when the store is full, and then nothing
 * was added; ERR_NOMEM, and then what was added before stays.
 */
int create_leaky_structures(struct data_store *store, int64_t size,
			    size_t *ret_data_size);

/*
 * Take every block out of the map and free it: what a program could do at any
 * time, if anybody had thought of it.
 *
 * Thread: any number at once.
 * Blocks: on the store's lock.
 * Returns: how many there were.
 */
size_t data_store_clear(struct data_store *store);

/*
 * Blocks in the store: data_size of /stats.
 *
 * Thread: any number at once.
 * Blocks: on the store's lock.
 */
size_t data_store_size(struct data_store *store);

#endif
