/* evidence.c - see evidence.h. */
#include "tools/evidence.h"

#include "base/attr.h"
#include "base/err.h"
#include "profile/decode.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Which sample types belong to which kind; the first found tells the kind. */
static const struct {
	const char *type, *kind;
} kinds[] = {
	{ "cpu", "cpu" },	    { "wall", "wall" },
	{ "inuse_space", "heap" },  { "threads", "threads" },
	{ "goroutine", "threads" },
};

static const char *infer_kind(const struct profile *p)
{
	if (!strcmp(profile_str(p, p->default_sample_type), "alloc_space"))
		return "allocs";
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (profile_sample_type(p, kinds[i].type) != PROFILE_NONE)
			return kinds[i].kind;
	return NULL;
}

static bool is_stats(const char *kind)
{
	return !strncmp(kind, "stats", 5) && (!kind[5] || kind[5] == '.');
}

static bool ends_with(const char *s, const char *end)
{
	const size_t n = strlen(s), k = strlen(end);
	return n >= k && !strcmp(s + n - k, end);
}

static int load_stats(struct exhibit *x, struct err *e)
{
	json_error_t error;
	x->stats = json_load_file(x->path, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(x->stats))
		return 0;
	return err_set(e, ERR_INVALID, "%s: is not an answer of /stats: %s",
		       x->path, x->stats ? "not a JSON object" : error.text);
}

static int load_profile(struct exhibit *x, struct err *e)
{
	int rc = profile_decode_file(x->path, NULL, &x->profile, e);
	if (rc && rc != ERR_IO) /* that names the file already */
		err_prefix(e, rc, "%s", x->path);
	if (rc || *x->kind)
		return rc;
	const char *kind = infer_kind(x->profile);
	if (!kind)
		return err_set(e, ERR_INVALID,
			       "%s: its sample types do not tell its kind; say "
			       "it: mutex=%s, block=%s",
			       x->path, x->path, x->path);
	free(x->kind);
	x->kind = strdup(kind);
	return x->kind ? 0 : ERR_NOMEM;
}

static void exhibit_free(struct exhibit *x)
{
	free(x->path);
	free(x->kind);
	profile_free(x->profile);
	json_decref(x->stats);
}

int evidence_add(struct evidence *v, const char *argument, struct err *e)
{
	if (v->n == EVIDENCE_MAX)
		return err_set(e, ERR_LIMIT, "more than %d profiles",
			       EVIDENCE_MAX);
	const char *eq = strchr(argument, '=');
	const char *slash = strchr(argument, '/');
	const bool named = eq && (!slash || eq < slash);
	const char *path = named ? eq + 1 : argument;
	struct exhibit x = { .path = strdup(path) };
	if (named)
		x.kind = strndup(argument, (size_t)(eq - argument));
	else
		x.kind = strdup(ends_with(path, ".json") ? "stats" : "");
	int rc = ERR_NOMEM;
	if (x.path && x.kind)
		rc = is_stats(x.kind) ? load_stats(&x, e) : load_profile(&x, e);
	if (rc)
		exhibit_free(&x);
	else
		v->exhibits[v->n++] = x;
	return rc;
}

void evidence_free(struct evidence *v)
{
	for (size_t i = 0; i < v->n; i++)
		exhibit_free(&v->exhibits[i]);
	v->n = 0;
}

int evidence_field(const struct exhibit *x, const char *path, double *ret,
		   struct err *e)
{
	const json_t *at = x->stats;
	for (const char *p = path; at && *p;) {
		const size_t n = strcspn(p, ".");
		at = json_object_getn(at, p, n);
		p += n + (p[n] == '.');
	}
	if (!json_is_number(at))
		return err_set(e, ERR_INVALID, "%s: has no number .%s", x->path,
			       path);
	*ret = json_number_value(at);
	return 0;
}

size_t evidence_series(const struct evidence *v, const char *kind,
		       const struct exhibit *ret_series[EVIDENCE_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->exhibits[i].kind, kind))
			ret_series[n++] = &v->exhibits[i];
	return n;
}

const struct exhibit *evidence_last(const struct evidence *v, const char *kind)
{
	const struct exhibit *series[EVIDENCE_MAX];
	const size_t n = evidence_series(v, kind, series);
	return n ? series[n - 1] : NULL;
}

bool evidence_is_from(const struct exhibit *x, const char *build_id)
{
	const struct profile *p = x->profile;
	return p && p->n_mappings &&
	       !strcmp(profile_str(p, p->mappings[0].build_id), build_id);
}
