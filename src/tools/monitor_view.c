/* monitor_view.c - see monitor_view.h. */
#include "tools/monitor_view.h"

#include "base/parse.h"
#include "tools/spark.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

/* Columns of a row: name, value, picture, threshold. */
enum { NAME_WIDTH = 10, VALUE_WIDTH = 11, MAX_WIDTH = 16, PICTURE_MIN = 4 };

void monitor_add(struct monitor *m, const double *figures)
{
	if (m->n == HISTORY) {
		for (size_t f = 0; f < FIGURES; f++)
			memmove(m->values[f], m->values[f] + 1,
				(HISTORY - 1) * sizeof(double));
		m->n--;
	}
	for (size_t f = 0; f < FIGURES; f++) {
		const double v = figures ? figures[f] : NAN;
		m->values[f][m->n] = v;
		if (v > m->max[f])
			m->crossed[f] = true;
	}
	m->n++;
}

static double last(const struct monitor *m, size_t f)
{
	return m->n ? m->values[f][m->n - 1] : NAN;
}

enum { CLOCK_TEXT = 32 };

/* "2026-01-31 10:20:30", local time. */
static char *clock_text(int64_t realtime_ns, char buf[static CLOCK_TEXT])
{
	const time_t t = (time_t)(realtime_ns / SECOND_NS);
	struct tm tm;
	localtime_r(&t, &tm);
	strftime(buf, CLOCK_TEXT, "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}

static char *seconds_text(int64_t ns, char buf[static PARSE_DURATION_TEXT])
{
	return format_duration((ns + SECOND_NS / 2) / SECOND_NS * SECOND_NS,
			       buf);
}

void monitor_write_line(const struct monitor *m, int64_t realtime_ns,
			struct buf *to)
{
	char when[CLOCK_TEXT], value[FIGURE_TEXT], max[FIGURE_TEXT],
		duration[PARSE_DURATION_TEXT];
	buf_append_str(to, clock_text(realtime_ns, when));
	if (m->down_since_ns) {
		buf_printf(to, " no answer for %s: %s\n",
			   seconds_text(realtime_ns - m->down_since_ns,
					duration),
			   m->trouble);
		return;
	}
	for (size_t f = 0; f < FIGURES; f++)
		buf_printf(to, " %s %s", figure_name((enum figure)f),
			   figure_text((enum figure)f, last(m, f), value));
	for (size_t f = 0; f < FIGURES; f++)
		if (last(m, f) > m->max[f])
			buf_printf(to, " OVER %s %s",
				   figure_name((enum figure)f),
				   figure_text((enum figure)f, m->max[f], max));
	if (m->down_for_ns)
		buf_printf(to, " (back after %s)",
			   seconds_text(m->down_for_ns, duration));
	if (m->restarted)
		buf_append_str(to, " (started anew)");
	buf_append_char(to, '\n');
}

/* ---- the screen ---- */

struct screen {
	const struct monitor *m;
	struct buf *to;
	int columns, rows, row;
	bool utf8, colour;
};

static void paint(const struct screen *s, const char *code)
{
	if (s->colour)
		buf_printf(s->to, "\033[%sm", code);
}

/* The end of a line; false when the screen has no more. */
static void end_line(struct screen *s)
{
	s->row++;
	buf_append_str(s->to, "\033[K");
	if (s->row < s->rows)
		buf_append_str(s->to, "\r\n");
}

/* ASCII alone, cut at the border. */
static void put_text(struct screen *s, const char *text)
{
	if (s->row >= s->rows)
		return;
	buf_printf(s->to, "%.*s", s->columns, text);
	end_line(s);
}

/* The last figures, those over the threshold in red. */
static void put_picture(const struct screen *s, size_t f, int width)
{
	const struct monitor *m = s->m;
	const size_t n = m->n < (size_t)width ? m->n : (size_t)width;
	const double *v = m->values[f] + m->n - n;
	double high = isnan(m->max[f]) ? 0 : m->max[f];
	for (size_t i = 0; i < n; i++)
		high = fmax(high, v[i]);
	bool red = false;
	for (size_t i = 0; i < n; i++) {
		const bool over = v[i] > m->max[f];
		if (over != red)
			paint(s, over ? "31" : "0");
		red = over;
		spark_append(s->to, &v[i], 1, 0, high, s->utf8);
	}
	if (red)
		paint(s, "0");
	buf_printf(s->to, "%*s", width - (int)n, "");
}

static void put_figure(struct screen *s, size_t f)
{
	char value[FIGURE_TEXT], max[FIGURE_TEXT];
	const struct monitor *m = s->m;
	const bool over = last(m, f) > m->max[f];
	if (s->row >= s->rows)
		return;
	int left = s->columns;
	if (left < NAME_WIDTH + VALUE_WIDTH) {
		char text[NAME_WIDTH + VALUE_WIDTH + FIGURE_TEXT];
		snprintf(text, sizeof(text), "%s %s",
			 figure_name((enum figure)f),
			 figure_text((enum figure)f, last(m, f), value));
		put_text(s, text);
		return;
	}
	buf_printf(s->to, "%-*s", NAME_WIDTH, figure_name((enum figure)f));
	paint(s, over ? "1;31" : "1");
	buf_printf(s->to, "%*s ", VALUE_WIDTH - 1,
		   figure_text((enum figure)f, last(m, f), value));
	paint(s, "0");
	left -= NAME_WIDTH + VALUE_WIDTH;
	const bool room = left >= MAX_WIDTH + PICTURE_MIN;
	const int picture = room ? left - MAX_WIDTH : left;
	put_picture(s, f, picture);
	if (room && !isnan(m->max[f]))
		buf_printf(s->to, " %s%.*s", over ? "OVER " : "max ",
			   MAX_WIDTH - 6,
			   figure_text((enum figure)f, m->max[f], max));
	end_line(s);
}

static void put_state(struct screen *s, int64_t realtime_ns)
{
	char text[400], duration[PARSE_DURATION_TEXT];
	const struct monitor *m = s->m;
	if (m->down_since_ns) {
		paint(s, "1;31");
		snprintf(text, sizeof(text), "NO ANSWER for %s: %s",
			 seconds_text(realtime_ns - m->down_since_ns, duration),
			 m->trouble);
		put_text(s, text);
		paint(s, "0");
	} else if (m->down_for_ns || m->restarted) {
		snprintf(text, sizeof(text), "back%s%s%s",
			 m->down_for_ns ? " after " : "",
			 m->down_for_ns ? seconds_text(m->down_for_ns, duration)
					: "",
			 m->restarted ? ", started anew" : "");
		put_text(s, text);
	} else {
		put_text(s, "");
	}
}

void monitor_write_screen(const struct monitor *m, int64_t realtime_ns,
			  int columns, int rows, bool utf8, bool colour,
			  struct buf *to)
{
	char text[400], when[CLOCK_TEXT];
	struct screen s = { .m = m,
			    .to = to,
			    /* In the last column the erasing of the rest of a
			     * line takes what stands there. */
			    .columns = columns > 1 ? columns - 1 : 1,
			    .rows = rows,
			    .utf8 = utf8,
			    .colour = colour };
	buf_append_str(to, "\033[H");
	snprintf(text, sizeof(text), "%s  %s", clock_text(realtime_ns, when),
		 m->url);
	put_text(&s, text);
	put_state(&s, realtime_ns);
	for (size_t f = 0; f < FIGURES; f++)
		put_figure(&s, f);
	put_text(&s, "");
	put_text(&s, "q: leave");
	buf_append_str(to, "\033[J");
}
