/*
 * tabs.c - see tabs.h.
 *
 * A column is a run of lines that all have a cell there which a tab ends; its
 * width is that of its widest cell and one more.  What follows the last tab of
 * a line belongs to no column.
 */
#include "report/tabs.h"

#include "base/buf.h"
#include "base/err.h"
#include "report/grow.h"
#include "report/out.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct cell {
	const char *s;
	size_t len, width; /* bytes, characters */
	size_t column;	   /* width of its column; 0 = last of its line */
};

struct table {
	struct cell *cells;
	size_t n_cells, cap_cells;
	size_t *lines; /* first cell of each; and the end */
	size_t n_lines, cap_lines;
};

static int add_cell(struct table *t, const char *s, size_t len)
{
	if (grow_rows(&t->cells, &t->cap_cells, t->n_cells + 1,
		      sizeof(*t->cells)))
		return ERR_NOMEM;
	t->cells[t->n_cells++] = (struct cell){
		.s = s, .len = len, .width = text_count_runes(s, len)
	};
	return 0;
}

static int add_line(struct table *t)
{
	if (grow_rows(&t->lines, &t->cap_lines, t->n_lines + 1,
		      sizeof(*t->lines)))
		return ERR_NOMEM;
	t->lines[t->n_lines++] = t->n_cells;
	return 0;
}

static int split(struct table *t, const char *s, size_t len)
{
	int rc = add_line(t);
	for (size_t at = 0; at <= len && !rc;) {
		size_t n = 0;
		while (at + n < len && !strchr("\t\v\n\f", s[at + n]))
			n++;
		rc = add_cell(t, s + at, n);
		at += n;
		if (at < len && (s[at] == '\n' || s[at] == '\f') && !rc)
			rc = add_line(t);
		at++;
	}
	return rc ? rc : add_line(t);
}

static size_t count_cells(const struct table *t, size_t line)
{
	return t->lines[line + 1] - t->lines[line];
}

/* Give the cells of one column the width of their run. */
static void set_widths(struct table *t, size_t column)
{
	for (size_t i = 0; i + 1 < t->n_lines;) {
		size_t end = i, width = 0;
		for (; end + 1 < t->n_lines && count_cells(t, end) > column + 1;
		     end++) {
			const struct cell *c =
				&t->cells[t->lines[end] + column];
			if (c->width + 1 > width)
				width = c->width + 1;
		}
		for (size_t k = i; k < end; k++)
			t->cells[t->lines[k] + column].column = width;
		i = end > i ? end : i + 1;
	}
}

int tabs_write(const struct buf *text, struct out *o)
{
	struct table t = { 0 };
	size_t columns = 0;
	const int rc = split(&t, buf_str(text), text->len);
	if (rc)
		goto out;
	for (size_t i = 0; i + 1 < t.n_lines; i++)
		if (count_cells(&t, i) > columns)
			columns = count_cells(&t, i);
	for (size_t c = 0; c < columns; c++)
		set_widths(&t, c);
	for (size_t i = 0; i + 1 < t.n_lines; i++) {
		for (size_t k = t.lines[i]; k < t.lines[i + 1]; k++) {
			const struct cell *c = &t.cells[k];
			for (size_t w = c->width; w < c->column; w++)
				out_char(o, ' ');
			out_bytes(o, c->s, c->len);
		}
		if (i + 2 < t.n_lines)
			out_char(o, '\n');
	}
out:
	free(t.cells);
	free(t.lines);
	return rc;
}
