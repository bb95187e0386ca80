/*
 * memory.c - the workload of /memory, as the exercise gives it.
 *
 * Everything that is allocated here is freed again before the request ends, so
 * a leak checker is content, and `inuse_space` shows next to nothing.  What
 * this code asks of the allocator on the way is another matter, and the
 * profile for it is `allocs`:
 *
 *   proflab-pprof -top -alloc_space   http://HOST/debug/pprof/allocs
 *   proflab-pprof -top -alloc_objects http://HOST/debug/pprof/allocs
 *
 * Look at both.  The first counts bytes, the second counts calls; a function
 * may lead one list and hardly appear in the other, and the two call for
 * different cures.  Three functions matter; each has a habit of its own.
 */
#include "workloads/memory.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/map.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TAGS = 24,	   /* in the text of one record */
	TAG_TEXT = 8,	   /* "t123," and its NUL, with room */
	VECTOR_STEP = 256, /* values by which the vector grows */
};

/*
 * A value that may be of any type carries its type with it.  Dynamic languages
 * keep every value like this, in a "box" of its own on the heap, and point to
 * it.  It is a convenient way to put unlike things into one list.
 */
enum value_type { VALUE_NUMBER, VALUE_RATIO, VALUE_FLAG, VALUE_TEXT };

struct value {
	enum value_type type;
	size_t bytes; /* of what is in it */
	union {
		int64_t number;
		double ratio;
		bool flag;
		char *text; /* owned */
	};
};

/*
 * A list of boxes that grows as they come.  It holds pointers, so what lies
 * side by side here lies anywhere in memory there.
 */
struct vector {
	struct value **values;
	size_t count;
	size_t capacity;
};

/*
 * One box.  The answer to "how large is a number here?" is: the number, its
 * type and size, the block's header inside malloc, the rounding to 16 bytes,
 * and the pointer that finds it.
 */
static ON_STACK struct value *box_value(enum value_type type, size_t bytes)
{
	struct value *value = malloc(sizeof(*value));
	if (!value)
		return NULL;
	value->type = type;
	value->bytes = bytes;
	value->text = NULL;
	return value;
}

/*
 * Put a value at the end, making room when there is none.
 *
 * How much room is the interesting decision.  Follow it with a pencil for
 * 1,000 values, then for 10,000: how often is the list moved, and how many
 * bytes are asked for in all?
 *
 * The vector owns the value, even when this fails.
 */
static ON_STACK int append_value(struct vector *v, struct value *value)
{
	if (v->count == v->capacity) {
		const size_t capacity = v->capacity + VECTOR_STEP;
		struct value **values =
			realloc(v->values, capacity * sizeof(*values));
		if (!values) {
			if (value->type == VALUE_TEXT)
				free(value->text);
			free(value);
			return ERR_NOMEM;
		}
		v->values = values;
		v->capacity = capacity;
	}
	v->values[v->count++] = value;
	return 0;
}

/*
 * What `a + b` does in many languages: a new string, with a copy of both in
 * it; the old one is dropped.  It costs what the result is long, not what was
 * added.
 */
static ON_STACK char *concat_text(char *text, const char *more)
{
	const size_t length = text ? strlen(text) : 0;
	const size_t added = strlen(more);
	char *longer = malloc(length + added + 1);
	if (longer) {
		if (text)
			memcpy(longer, text, length);
		memcpy(longer + length, more, added + 1);
	}
	free(text);
	return longer;
}

/* The text of record i: its tags, one after the other. */
static ON_STACK char *describe_record(int64_t i)
{
	char *text = NULL;
	for (int k = 0; k < TAGS; k++) {
		char tag[TAG_TEXT];
		const int number = (int)((i * 31 + k * 7) % 1000);
		snprintf(tag, sizeof(tag), "t%03d,", number);
		text = concat_text(text, tag);
		if (!text)
			return NULL;
	}
	return text;
}

/*
 * The four values of record i, each into the vector.
 *
 * Every one of these calls can fail, and says so; none of them leaks.  That
 * much has been taken care of.  It is the number of calls that has not.
 */
static int add_record(struct vector *v, int64_t i)
{
	struct value *number = box_value(VALUE_NUMBER, sizeof(int64_t));
	if (!number)
		return ERR_NOMEM;
	number->number = i;
	if (append_value(v, number))
		return ERR_NOMEM;

	struct value *ratio = box_value(VALUE_RATIO, sizeof(double));
	if (!ratio)
		return ERR_NOMEM;
	ratio->ratio = (double)i / 7.0;
	if (append_value(v, ratio))
		return ERR_NOMEM;

	struct value *flag = box_value(VALUE_FLAG, sizeof(bool));
	if (!flag)
		return ERR_NOMEM;
	flag->flag = i % 3 == 0;
	if (append_value(v, flag))
		return ERR_NOMEM;

	char *description = describe_record(i);
	if (!description)
		return ERR_NOMEM;
	struct value *text = box_value(VALUE_TEXT, strlen(description));
	if (!text) {
		free(description);
		return ERR_NOMEM;
	}
	text->text = description;
	return append_value(v, text);
}

/* Every byte of every value, so that no record can be left out unseen. */
static uint64_t digest_of(const struct vector *v)
{
	uint64_t digest = 0;
	for (size_t i = 0; i < v->count; i++) {
		const struct value *value = v->values[i];
		const void *data = &value->number;
		if (value->type == VALUE_TEXT)
			data = value->text;
		digest = map_hash(data, value->bytes, digest);
	}
	return digest;
}

/*
 * All that was allocated is freed here, one by one, in as many calls.  In a
 * CPU profile free has its share as well; in an allocation profile it has
 * none, which is worth remembering when the two are compared.
 */
static void free_values(struct vector *v)
{
	for (size_t i = 0; i < v->count; i++) {
		if (v->values[i]->type == VALUE_TEXT)
			free(v->values[i]->text);
		free(v->values[i]);
	}
	free(v->values);
}

/*
 * The request.  In `top -cum` this function stands above the three that
 * allocate: cumulative figures lead you here, flat figures lead you on.
 */
ON_STACK int perform_memory_intensive_task(int64_t size,
					   struct memory_result *ret_result)
{
	if (size < 0 || size > MEMORY_SIZE_MAX)
		return ERR_INVALID;
	struct vector records = { 0 };
	int rc = 0;
	for (int64_t i = 0; i < size && !rc; i++)
		rc = add_record(&records, i);
	if (!rc) {
		ret_result->allocated_objects = (size_t)size;
		ret_result->digest = digest_of(&records);
	}
	free_values(&records);
	return rc;
}
