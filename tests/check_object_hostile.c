/*
 * check_object_hostile.c - files that lie: the corpus, truncations, mutations
 * from a fixed seed, and memory that runs out at the n-th allocation.
 */
#include "base/err.h"
#include "base/rng.h"
#include "symbol/object.h"
#include "tests/testing.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	FILE_MAX = 64 << 10,
	MUTATIONS = 1500, /* of each file of the corpus */
	CUTS = 60,
};

/* ---- memory that runs out
 * ------------------------------------------------------ */

#ifndef PROFLAB_SANITIZED
/*
 * These stand before libc's, also for libdw.  Our own allocations are counted,
 * and the n-th fails, once or with all that follow; libdw does not survive that
 * everywhere (it leaves some results unchecked), so of its allocations those
 * fail that it looks at: the blocks of a little under a page from which it
 * serves itself, and after which it calls the handler.
 */
static long own_left, block_left; /* counts down to 1; 0 = never fails */
static bool stays;		  /* what failed once fails for good */
static long failed;

extern char __executable_start[], etext[];

static bool count_down(long *left)
{
	if (*left == 0)
		return false;
	if (*left > 1) {
		--*left;
		return false;
	}
	if (!stays)
		*left = 0;
	failed++;
	return true;
}

static bool fails(size_t size, const void *caller)
{
	if ((const char *)caller >= __executable_start &&
	    (const char *)caller < etext)
		return count_down(&own_left);
	return size >= 4000 && size <= 4096 && count_down(&block_left);
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static void *refuse(void)
{
	errno = ENOMEM;
	return NULL;
}

void *malloc(size_t size)
{
	return fails(size, __builtin_return_address(0)) ? refuse()
							: __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails(1, __builtin_return_address(0)) ? refuse()
						     : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails(1, __builtin_return_address(0)) ? refuse()
						     : __libc_realloc(p, size);
}

/* Returns: did it see the end of its work? */
static bool use_object(const char *path)
{
	struct object *o;
	if (object_open(path, NULL, 0, &o, NULL))
		return false;
	bool whole = false;
	uint64_t start, size;
	if (!object_find_function(o, "hot", &start, &size)) {
		struct object_frame f[8];
		for (uint64_t at = start; at < start + size; at += 4)
			whole = object_lookup(o, at, f, 8) > 0;
	}
	object_close(o);
	return whole;
}

/*
 * Whichever fails, the answer is less, or an error; the process lives, and
 * afterwards all is as before.
 */
static void fail_each(const char *path, long *left, int at_least)
{
	int survived = 0;
	for (long n = 1; n < 5000; n++, survived++) {
		failed = 0;
		for (int i = 0; i < 2; i++) {
			*left = n;
			stays = i;
			use_object(path);
			*left = 0;
		}
		if (!failed)
			break;
	}
	ck_assert_int_ge(survived, at_least);
	ck_assert_int_lt(survived, 4999);
	ck_assert(use_object(path));
}

START_TEST(allocation_failures)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/tests/corpus/object/cxx.elf",
		 getenv("top_srcdir") ? getenv("top_srcdir") : ".");
	ck_assert(use_object(path));
	fail_each(path, &own_left, 20);
	fail_each(path, &block_left, 1);
}
END_TEST
#endif

/* ---- bytes that lie
 * -------------------------------------------------------------- */

struct file {
	char name[256];
	uint8_t *data;
	size_t len;
};

static struct file corpus[32];
static int n_corpus;

static void read_corpus(void)
{
	char dir[512], path[1024];
	snprintf(dir, sizeof(dir), "%s/tests/corpus/object",
		 getenv("top_srcdir") ? getenv("top_srcdir") : ".");
	DIR *d = opendir(dir);
	const struct dirent *entry;
	while (d && n_corpus < 32 && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		struct file *f = &corpus[n_corpus];
		snprintf(f->name, sizeof(f->name), "%s", entry->d_name);
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		FILE *in = fopen(path, "rb");
		f->data = malloc(FILE_MAX);
		if (in && f->data)
			f->len = fread(f->data, 1, FILE_MAX, in);
		if (in)
			fclose(in);
		if (f->len)
			n_corpus++;
	}
	if (d)
		closedir(d);
}

START_TEST(corpus_replays)
{
	ck_assert_int_ge(n_corpus, 7);
	for (int i = 0; i < n_corpus; i++)
		LLVMFuzzerTestOneInput(corpus[i].data, corpus[i].len);
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
}
END_TEST

/* An exact copy on the heap, so that a sanitizer sees the first byte beyond. */
static void feed(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

START_TEST(truncations)
{
	const struct file *f = &corpus[_i % n_corpus];
	for (size_t i = 0; i < CUTS; i++)
		feed(f->data, f->len * i / CUTS);
	for (size_t i = 1; i < 16; i++)
		feed(f->data, f->len - i);
}
END_TEST

static void mutate(struct rng *r, uint8_t *data, size_t len)
{
	static const uint8_t extreme[] = { 0x00, 0xff, 0x7f, 0x80, 0x01 };
	for (uint64_t n = 1 + rng_below(r, 8); n > 0; n--) {
		const size_t at = rng_below(r, len);
		switch (rng_below(r, 4)) {
		case 0:
			data[at] ^= (uint8_t)(1 << rng_below(r, 8));
			break;
		case 1:
			data[at] = (uint8_t)rng_u64(r);
			break;
		case 2:
			data[at] = extreme[rng_below(r, sizeof(extreme))];
			break;
		default:
			/* A whole field, or a neighbour's. */
			for (size_t i = 0; i < 8 && at + i < len; i++)
				data[at + i] = data[rng_below(r, len)];
		}
	}
}

START_TEST(mutations)
{
	const struct file *f = &corpus[_i % n_corpus];
	struct rng r;
	rng_seed(&r, 20240601u + (uint64_t)_i);
	const char *more = getenv("MUTATIONS");
	const long n = more ? strtol(more, NULL, 10) : MUTATIONS;
	for (long i = 0; i < n; i++) {
		uint8_t copy[FILE_MAX];
		memcpy(copy, f->data, f->len);
		mutate(&r, copy, f->len);
		feed(copy, f->len);
	}
}
END_TEST

int main(void)
{
	read_corpus();
	Suite *suite = suite_create("object, hostile files");
	TCase *bytes = tcase_create("bytes");
	tcase_set_timeout(bytes, 120);
	tcase_add_test(bytes, corpus_replays);
	tcase_add_loop_test(bytes, truncations, 0, n_corpus);
	tcase_add_loop_test(bytes, mutations, 0, n_corpus);
	suite_add_tcase(suite, bytes);
#ifndef PROFLAB_SANITIZED
	TCase *memory = tcase_create("memory");
	tcase_set_timeout(memory, 120);
	tcase_add_test(memory, allocation_failures);
	suite_add_tcase(suite, memory);
#endif
	const int status = testing_run(suite);
	for (int i = 0; i < n_corpus; i++)
		free(corpus[i].data);
	return status;
}
