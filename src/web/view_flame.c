/*
 * view_flame.c - "flame" and "sandwich": stacks as trees.  The last one is kept
 * for the next question.
 */
#include "web/subject.h"

#include "base/err.h"
#include "web/webjson.h"

#include <stdlib.h>
#include <string.h>

/* The last tree, and what it was made from. */
struct web_flame {
	char *key; /* owned: all parameters that matter */
	struct report *r;
	struct flame f;
};

void web_flame_free(struct web_flame *t)
{
	if (!t)
		return;
	flame_free(&t->f);
	report_close(t->r);
	free(t->key);
	free(t);
}

/* ---- making the tree ----------------------------------------------------- */

static void append_key(struct buf *b, const char *s)
{
	buf_printf(b, "%zu:%s,", s ? strlen(s) : 0, s ? s : "");
}

static char *make_key(const struct web_call *c, const struct flame_options *f)
{
	const struct report_options *o = &c->o;
	const char *const texts[] = {
		o->sample_index, o->focus,    o->ignore,    o->hide, o->show,
		o->show_from,	 o->tagfocus, o->tagignore, f->pivot
	};
	struct buf b = { 0 };
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		append_key(&b, texts[i]);
	buf_printf(&b, "%d %d %d", (int)o->granularity, o->noinlines,
		   f->inverted);
	char *key = b.failed ? NULL : strdup(buf_str(&b));
	buf_free(&b);
	return key;
}

/* Texts of the report's options die with the request. */
static void forget_texts(struct report *r)
{
	struct report_options o = REPORT_OPTIONS_DEFAULT;
	o.drop_negative = r->o.drop_negative;
	r->o = o;
}

static int build(struct web_call *c, const struct flame_options *o,
		 struct web_flame **ret_tree)
{
	struct web_flame *t = calloc(1, sizeof(*t));
	if (!t)
		return ERR_NOMEM;
	const struct profile *p = c->s->both ? c->s->both : c->s->p;
	int rc = web_open(c, p, "flame", NULL, &t->r);
	if (!rc) {
		rc = flame_build(t->r, o, &t->f);
		if (rc == ERR_LIMIT)
			err_set(c->e, rc, "too many different stacks");
		forget_texts(t->r);
	}
	if (rc) {
		web_flame_free(t);
		return rc;
	}
	*ret_tree = t;
	return 0;
}

/* The subject's tree for these parameters; its lock is held. */
static int get_tree(struct web_call *c, const struct flame_options *o,
		    struct web_flame **ret_tree)
{
	struct web_subject *s = c->s;
	char *key = make_key(c, o);
	if (!key)
		return ERR_NOMEM;
	if (s->flame && strcmp(s->flame->key, key) == 0) {
		free(key);
		*ret_tree = s->flame;
		return 0;
	}
	struct web_flame *t;
	const int rc = build(c, o, &t);
	if (rc) {
		free(key);
		return rc;
	}
	t->key = key;
	/* One with a warning is made anew, so that it warns again. */
	if (c->warnings.len) {
		t->key[0] = '\0';
	}
	web_flame_free(s->flame);
	s->flame = t;
	*ret_tree = t;
	return 0;
}

/* ---- the views ----------------------------------------------------------- */

static int read_at(const struct web_call *c, const struct flame *f,
		   uint32_t *ret_at)
{
	const char *value = web_parameter(c, "at");
	*ret_at = 0;
	if (!value)
		return 0;
	char *end;
	const unsigned long n = strtoul(value, &end, 10);
	if (*end || *value < '0' || *value > '9' || n >= f->n)
		return err_set(c->e, ERR_INVALID,
			       "at is \"%.80s\": must be a node's number, "
			       "0 to %zu",
			       value, f->n - 1);
	*ret_at = (uint32_t)n;
	return 0;
}

int web_flame(struct web_call *c)
{
	struct flame_options o = { 0 };
	struct web_flame *t;
	uint32_t at;
	int rc = web_flag(c, "invert", &o.inverted);
	if (rc)
		return rc;
	pthread_mutex_lock(&c->s->lock);
	rc = get_tree(c, &o, &t);
	if (!rc)
		rc = read_at(c, &t->f, &at);
	if (!rc) {
		web_write_head(c, t->r);
		rc = web_write_tree(c, &t->f, at, web_parameter(c, "search"));
	}
	pthread_mutex_unlock(&c->s->lock);
	return rc;
}

/* Two trees, each made for this answer alone. */
int web_sandwich(struct web_call *c)
{
	const char *function = web_parameter(c, "f");
	if (!function)
		return err_set(c->e, ERR_INVALID,
			       "f is missing: must be a function's name");
	for (int callers = 0; callers < 2; callers++) {
		const struct flame_options o = { .inverted = callers,
						 .pivot = function };
		struct web_flame *t;
		int rc = build(c, &o, &t);
		if (rc)
			return rc;
		if (!callers)
			web_write_head(c, t->r);
		if (!callers && t->f.n == 1)
			rc = err_set(c->e, ERR_NOTFOUND,
				     "no stack has the function %s", function);
		webjson_open_object(c->j, callers ? "callers" : "callees");
		if (!rc)
			rc = web_write_tree(c, &t->f, 0, NULL);
		webjson_close(c->j);
		web_flame_free(t);
		if (rc)
			return rc;
	}
	return 0;
}
