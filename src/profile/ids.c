/* ids.c - see ids.h. */
#include "profile/ids.h"

#include "base/err.h"
#include "profile/private.h"

int ids_init(struct ids *ids, struct profile *p, size_t n)
{
	void *of;
	*ids = (struct ids){ .seed = p->priv->seed };
	const int rc = model_scratch(p, n, sizeof(*ids->of), &of);
	if (rc)
		return rc;
	ids->of = of;
	ids->n_of = n;
	return 0;
}

static int finish_dense(struct ids *ids, struct profile *p, uint64_t max,
			uint64_t *ret_twice)
{
	void *table;
	const int rc = model_scratch(p, max + 1, sizeof(*ids->table), &table);
	if (rc)
		return rc;
	ids->kind = IDS_DENSE;
	ids->table = table;
	ids->n_table = max + 1;
	for (size_t i = 0; i < ids->n; i++) {
		uint32_t *slot = &ids->table[ids->of[i]];
		if (*slot) {
			*ret_twice = ids->of[i];
			return ERR_FORMAT;
		}
		*slot = (uint32_t)i + 1;
	}
	return 0;
}

static int finish_sparse(struct ids *ids, struct profile *p,
			 uint64_t *ret_twice)
{
	/* The map doubles at 3/4: this is the most that it will hold. */
	size_t slots = 64;
	while (slots / 4 * 3 <= ids->n)
		slots *= 2;
	int rc = model_charge(p, slots * sizeof(struct map_slot));
	if (rc)
		return rc;
	ids->map_bytes = slots * sizeof(struct map_slot);
	ids->kind = IDS_SPARSE;
	for (size_t i = 0; i < ids->n; i++) {
		if (ids_get_other(ids, ids->of[i]) != PROFILE_NONE) {
			*ret_twice = ids->of[i];
			return ERR_FORMAT;
		}
		rc = map_put(&ids->map, map_mix(ids->of[i] ^ ids->seed),
			     (uint32_t)i);
		if (rc)
			return rc;
	}
	return 0;
}

int ids_finish(struct ids *ids, struct profile *p, uint64_t *ret_twice)
{
	uint64_t max = 0;
	bool in_order = true;
	for (size_t i = 0; i < ids->n; i++) {
		in_order &= ids->of[i] == i + 1;
		if (ids->of[i] > max)
			max = ids->of[i];
	}
	if (in_order)
		return 0;
	return max / 8 <= ids->n ? finish_dense(ids, p, max, ret_twice)
				 : finish_sparse(ids, p, ret_twice);
}

uint32_t ids_get_other(const struct ids *ids, uint64_t id)
{
	if (ids->kind == IDS_DENSE)
		return id < ids->n_table ? ids->table[id] - 1 : PROFILE_NONE;
	return map_get(&ids->map, map_mix(id ^ ids->seed));
}

void ids_free(struct ids *ids, struct profile *p)
{
	model_release(p, ids->of, ids->n_of, sizeof(*ids->of));
	model_release(p, ids->table, ids->n_table, sizeof(*ids->table));
	map_free(&ids->map);
	model_discharge(p, ids->map_bytes);
	*ids = (struct ids){ 0 };
}
