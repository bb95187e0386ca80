/*
 * view_source.c - "source": the lines of functions that match, with what each
 * costs, from the files where they are.
 */
#include "web/subject.h"

#include "base/err.h"
#include "report/arith.h"
#include "report/grow.h"
#include "report/regex.h"
#include "report/source.h"
#include "web/webjson.h"

#include <stdlib.h>
#include <string.h>

enum {
	LISTINGS_MAX = 30,
	LINES_MAX = 4000, /* of one listing */
	MARGIN = 6,	  /* lines before the first and after the last */
};

/* What one line of one function costs, now and in the base. */
struct line {
	const char *name, *file;
	int64_t start_line, line;
	int64_t flat[2], cum[2];
};

struct lines {
	struct line *rows; /* owned */
	size_t n, cap;
};

static int add_lines(struct lines *all, const struct graph *g, int side,
		     struct regex *rx)
{
	for (size_t i = 0; i < g->n_order; i++) {
		const struct graph_node *n = &g->nodes[g->order[i]];
		const char *name = view_str(g->v, n->info.name);
		const char *file = view_str(g->v, n->info.file);
		/* As -list: by the name, for people. */
		if (!regex_match(rx, name, strlen(name)))
			continue;
		if (grow_rows(&all->rows, &all->cap, all->n + 1,
			      sizeof(*all->rows)))
			return ERR_NOMEM;
		struct line *l = &all->rows[all->n++];
		*l = (struct line){ .name = name,
				    .file = file,
				    .start_line = n->info.start_line,
				    .line = n->info.line };
		l->flat[side] = graph_flat(n);
		l->cum[side] = graph_cum(n);
	}
	return 0;
}

static int compare_lines(const void *pa, const void *pb)
{
	const struct line *a = pa, *b = pb;
	int c = strcmp(a->name, b->name);
	if (!c)
		c = strcmp(a->file, b->file);
	return c ? c : (a->line > b->line) - (a->line < b->line);
}

/* ---- one listing: a run of lines of one function in one file ------------- */

struct listing {
	const struct line *rows;
	size_t n;
	int64_t flat[2], cum[2];
};

static int compare_listings(const void *pa, const void *pb)
{
	const struct listing *a = pa, *b = pb;
	const int64_t x = a->cum[0] > a->cum[1] ? a->cum[0] : a->cum[1];
	const int64_t y = b->cum[0] > b->cum[1] ? b->cum[0] : b->cum[1];
	return x != y ? (x < y) - (x > y)
		      : (a->rows > b->rows) - (a->rows < b->rows);
}

static int group(struct lines *all, struct listing **ret_listings,
		 size_t *ret_n)
{
	struct listing *list = calloc(all->n + 1, sizeof(*list));
	size_t n = 0;
	if (!list)
		return ERR_NOMEM;
	if (all->n)
		qsort(all->rows, all->n, sizeof(*all->rows), compare_lines);
	for (size_t i = 0; i < all->n; i++) {
		const struct line *l = &all->rows[i];
		if (!n || strcmp(list[n - 1].rows->name, l->name) ||
		    strcmp(list[n - 1].rows->file, l->file))
			list[n++].rows = l;
		struct listing *last = &list[n - 1];
		last->n++;
		for (int s = 0; s < 2; s++) {
			last->flat[s] = i64_add(last->flat[s], l->flat[s]);
			last->cum[s] = i64_add(last->cum[s], l->cum[s]);
		}
	}
	if (n)
		qsort(list, n, sizeof(*list), compare_listings);
	*ret_listings = list;
	*ret_n = n;
	return 0;
}

static void write_values(struct web_call *c, const int64_t flat[2],
			 const int64_t cum[2])
{
	webjson_int(c->j, NULL, flat[0]);
	webjson_int(c->j, NULL, cum[0]);
	if (!c->s->base)
		return;
	webjson_int(c->j, NULL, flat[1]);
	webjson_int(c->j, NULL, cum[1]);
}

/* [number, text or null, flat, cum, ...] */
static void write_line(struct web_call *c, const struct listing *l, size_t *at,
		       int64_t number, const char *text)
{
	int64_t flat[2] = { 0 }, cum[2] = { 0 };
	for (; *at < l->n && l->rows[*at].line <= number; ++*at)
		for (int s = 0; s < 2; s++) {
			flat[s] = i64_add(flat[s], l->rows[*at].flat[s]);
			cum[s] = i64_add(cum[s], l->rows[*at].cum[s]);
		}
	webjson_open_array(c->j, NULL);
	webjson_int(c->j, NULL, number);
	webjson_text(c->j, NULL, text);
	write_values(c, flat, cum);
	webjson_close(c->j);
}

static void write_lines(struct web_call *c, const struct listing *l,
			struct source_reader *reader)
{
	const int64_t start_line = l->rows[0].start_line;
	int64_t first = l->rows[0].line, last = l->rows[l->n - 1].line;
	if (start_line > 0 && start_line < first)
		first = start_line;
	first = first > MARGIN ? first - MARGIN : 1;
	last = last < INT64_MAX - MARGIN ? last + MARGIN : last;
	if (last - first >= LINES_MAX)
		last = first + LINES_MAX - 1;
	size_t at = 0;
	webjson_open_array(c->j, "lines");
	for (int64_t number = first; number <= last; number++) {
		const char *text = source_line(reader, l->rows->file, number);
		if (!text)
			break;
		write_line(c, l, &at, number, text);
	}
	/* Figures whose lines are not there are shown without them. */
	for (; at < l->n;)
		write_line(c, l, &at, l->rows[at].line, "");
	webjson_close(c->j);
}

static void write_listing(struct web_call *c, const struct listing *l,
			  struct source_reader *reader)
{
	struct webjson *j = c->j;
	webjson_open_object(j, NULL);
	webjson_text(j, "name", l->rows->name);
	webjson_text(j, "file", l->rows->file);
	webjson_open_array(j, "values");
	write_values(c, l->flat, l->cum);
	webjson_close(j);
	const char *error = "the profile does not name its file";
	if (*l->rows->file) {
		source_line(reader, l->rows->file, 1);
		error = source_error(reader, l->rows->file);
	}
	webjson_text(j, "missing", error);
	write_lines(c, l, reader);
	webjson_close(j);
}

static int write_listings(struct web_call *c, struct lines *all)
{
	struct listing *list = NULL;
	struct source_reader *reader =
		source_new(c->o.source_path, c->o.trim_path, '\0');
	size_t n = 0;
	int rc = reader ? group(all, &list, &n) : ERR_NOMEM;
	webjson_open_array(c->j, "listings");
	for (size_t i = 0; i < n && i < LISTINGS_MAX; i++)
		write_listing(c, &list[i], reader);
	webjson_close(c->j);
	webjson_int(c->j, "left_out",
		    n > LISTINGS_MAX ? (int64_t)(n - LISTINGS_MAX) : 0);
	source_free(reader);
	free(list);
	return rc;
}

int web_source(struct web_call *c)
{
	struct report *r[2] = { NULL };
	struct graph g[2] = { 0 };
	struct lines all = { 0 };
	const struct profile *const ps[2] = { c->s->p, c->s->base };
	const char *pattern = web_parameter(c, "f");
	int rc = 0;
	if (!pattern)
		return err_set(c->e, ERR_INVALID,
			       "f is missing: must be a regular expression");
	for (int i = 0; i < 2 && ps[i] && !rc; i++) {
		rc = web_open(c, ps[i], "list", pattern, &r[i]);
		if (!rc)
			rc = report_graph(r[i], NULL, GRAPH_NO_EDGES, &g[i]);
		if (!rc)
			rc = add_lines(&all, &g[i], i, r[i]->symbol);
	}
	if (!rc && !all.n)
		rc = err_set(c->e, ERR_NOTFOUND, "no function matches %s",
			     pattern);
	if (!rc) {
		web_write_head(c, r[0]);
		webjson_int(c->j, "total", r[0]->total);
		webjson_int(c->j, "total_before", r[1] ? r[1]->total : 0);
		rc = write_listings(c, &all);
	}
	for (int i = 0; i < 2; i++) {
		graph_free(&g[i]);
		report_close(r[i]);
	}
	free(all.rows);
	return rc;
}
