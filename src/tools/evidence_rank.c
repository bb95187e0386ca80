/* evidence_rank.c - functions and lines, largest first: see evidence.h. */
#include "base/err.h"
#include "tools/evidence_private.h"

#include <stdlib.h>
#include <string.h>

/* Rows by function, and the sample that last touched each (for recursion). */
struct ranking {
	const struct profile *p;
	struct ranked *rows;
	size_t *seen;
};

static void rank_sample(const struct ranking *r, const struct columns *c,
			size_t i)
{
	const struct profile *p = r->p;
	const double value =
		(double)p->values[i * p->n_sample_types + c->value];
	const double n = evidence_events(p, c, i);
	const struct profile_span span = p->sample_locs[i];
	for (uint32_t k = 0; k < span.count; k++) {
		const struct profile_location *l =
			&p->locations[p->locs[span.first + k]];
		for (uint32_t j = 0; j < l->line_count; j++) {
			const uint32_t f = p->lines[l->line_first + j].function;
			if (f == PROFILE_NONE)
				continue;
			struct ranked *row = &r->rows[f];
			row->own |= l->mapping == 0;
			if (k == 0 && j == 0) {
				row->flat += value;
				row->n_flat += n;
			}
			if (r->seen[f] == i + 1)
				continue;
			r->seen[f] = i + 1;
			row->cum += value;
			row->n_cum += n;
		}
	}
}

static int by_flat(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->flat != y->flat)
		return x->flat < y->flat ? 1 : -1;
	return strcmp(x->name, y->name);
}

static int by_cum(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->cum != y->cum)
		return x->cum < y->cum ? 1 : -1;
	return by_flat(a, b);
}

int evidence_rank(const struct exhibit *x, const struct selection *s, bool cum,
		  struct ranked **ret, size_t *ret_n, struct err *e)
{
	const struct profile *p = x->profile;
	struct columns c;
	const int rc = evidence_columns(x, s, &c, e);
	if (rc)
		return rc;
	const struct ranking r = {
		.p = p,
		.rows = calloc(p->n_functions + 1, sizeof(*r.rows)),
		.seen = calloc(p->n_functions + 1, sizeof(*r.seen)),
	};
	if (!r.rows || !r.seen) {
		free(r.rows);
		free(r.seen);
		return ERR_NOMEM;
	}
	for (size_t f = 0; f < p->n_functions; f++)
		r.rows[f].name = profile_str(p, p->functions[f].name);
	for (size_t i = 0; i < p->n_samples; i++)
		if (evidence_is_selected(p, s, i))
			rank_sample(&r, &c, i);
	free(r.seen);
	qsort(r.rows, p->n_functions, sizeof(*r.rows), cum ? by_cum : by_flat);
	*ret = r.rows;
	*ret_n = p->n_functions;
	return 0;
}

/* ---- lines ---- */

struct line_rows {
	struct source_line *rows;
	size_t n, room;
};

static int add_line(struct line_rows *r, int64_t line, double value)
{
	size_t i = 0;
	while (i < r->n && r->rows[i].line != line)
		i++;
	if (i == r->room) {
		const size_t room = r->room ? 2 * r->room : 32;
		struct source_line *rows =
			reallocarray(r->rows, room, sizeof(*rows));
		if (!rows)
			return ERR_NOMEM;
		r->rows = rows;
		r->room = room;
	}
	if (i == r->n)
		r->rows[r->n++] = (struct source_line){ .line = line };
	r->rows[i].cum += value;
	return 0;
}

/* The innermost frame of the function decides the line: one for a sample. */
static int add_sample_line(const struct profile *p, const bool *matches,
			   size_t i, double value, struct line_rows *r)
{
	const struct profile_span span = p->sample_locs[i];
	for (uint32_t k = 0; k < span.count; k++) {
		const struct profile_location *l =
			&p->locations[p->locs[span.first + k]];
		for (uint32_t j = 0; j < l->line_count; j++) {
			const struct profile_line *line =
				&p->lines[l->line_first + j];
			if (line->function != PROFILE_NONE &&
			    matches[line->function])
				return add_line(r, line->line, value);
		}
	}
	return 0;
}

static int by_line_value(const void *a, const void *b)
{
	const struct source_line *x = a, *y = b;
	if (x->cum != y->cum)
		return x->cum < y->cum ? 1 : -1;
	return (x->line > y->line) - (x->line < y->line);
}

int evidence_lines(const struct exhibit *x, const struct selection *s,
		   const char *pattern, struct source_line **ret, size_t *ret_n,
		   struct err *e)
{
	const struct profile *p = x->profile;
	struct columns c;
	bool *matches = NULL;
	int rc = evidence_columns(x, s, &c, e);
	if (!rc)
		rc = evidence_match(p, pattern, &matches, e);
	struct line_rows r = { 0 };
	for (size_t i = 0; !rc && i < p->n_samples; i++) {
		const int64_t value =
			p->values[i * p->n_sample_types + c.value];
		if (value && evidence_is_selected(p, s, i))
			rc = add_sample_line(p, matches, i, (double)value, &r);
	}
	free(matches);
	if (rc) {
		free(r.rows);
		return rc;
	}
	if (r.n)
		qsort(r.rows, r.n, sizeof(*r.rows), by_line_value);
	*ret = r.rows;
	*ret_n = r.n;
	return 0;
}
