/*
 * memory.c - the workload of /memory, mended.  solutions/memory.md tells the
 * story and has the figures.
 *
 * The allocation profile names three functions, and each is cured by knowing
 * something in advance:
 *
 *   append_value  leads the bytes: the vector was moved every 256 values, so
 *                 the bytes asked for grew with the square of the number of
 *                 values.  We know how many records there will be: one block.
 *   concat_text   leads the calls: 24 strings for every one that is kept.  We
 *                 know how long a text will be: the tags are written in place.
 *   box_value     four blocks a record.  We know the types: a record is a
 *                 struct, and its fields lie in it side by side.
 */
#include "workloads/memory.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	TAGS = 24,
	TAG_BYTES = 5, /* "t123," */
	TEXT_BYTES = TAGS * TAG_BYTES,
};

/*
 * No boxes: what a field's type is, the compiler knows.  The text is part of
 * the record too, since every text is of the same length.  (Were they not, the
 * texts would go one after another into a second block, and the record would
 * keep an offset.)  152 bytes a record, and no header, no rounding, no
 * pointer; and a walk over the records is a walk through memory in order,
 * which the processor's caches were made for.
 */
struct record {
	int64_t number;
	double ratio;
	bool flag;
	char text[TEXT_BYTES];
};

/* "t123," and so on: each tag goes where it will stay. */
static ON_STACK void describe_record(int64_t i, char text[static TEXT_BYTES])
{
	for (int k = 0; k < TAGS; k++) {
		const int number = (int)((i * 31 + k * 7) % 1000);
		char *tag = text + k * TAG_BYTES;
		tag[0] = 't';
		tag[1] = (char)('0' + number / 100);
		tag[2] = (char)('0' + number / 10 % 10);
		tag[3] = (char)('0' + number % 10);
		tag[4] = ',';
	}
}

static void make_record(int64_t i, struct record *record)
{
	record->number = i;
	record->ratio = (double)i / 7.0;
	record->flag = i % 3 == 0;
	describe_record(i, record->text);
}

/* The same bytes in the same order as in the faulty variant. */
static uint64_t digest_of(const struct record *records, size_t count)
{
	uint64_t digest = 0;
	for (size_t i = 0; i < count; i++) {
		const struct record *r = &records[i];
		digest = map_hash(&r->number, sizeof(r->number), digest);
		digest = map_hash(&r->ratio, sizeof(r->ratio), digest);
		digest = map_hash(&r->flag, sizeof(r->flag), digest);
		digest = map_hash(r->text, sizeof(r->text), digest);
	}
	return digest;
}

/*
 * One allocation a request, of exactly the size that it needs.  All records
 * are still in memory together when the answer is worked out: nothing of the
 * job was left away, only the detours.
 */
ON_STACK int perform_memory_intensive_task(int64_t size,
					   struct memory_result *ret_result)
{
	if (size < 0 || size > MEMORY_SIZE_MAX)
		return ERR_INVALID;
	const size_t count = (size_t)size;
	struct record *records = malloc(count * sizeof(*records) + 1);
	if (!records)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		make_record((int64_t)i, &records[i]);
	ret_result->allocated_objects = count;
	ret_result->digest = digest_of(records, count);
	free(records);
	return 0;
}
