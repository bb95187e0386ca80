/* growth_chart.c - growth as lines over time, in one SVG (growth.h). */
#include "tools/growth.h"

#include "base/attr.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	WIDTH = 960,
	HEIGHT = 480,
	LEFT = 90,
	RIGHT = 300, /* the legend's */
	TOP = 50,
	BOTTOM = 50,
	LINES_MAX = 8,
	X_MARKS = 6,
};

/* Okabe and Ito's, which colour-blind people tell apart. */
static const char *const colours[LINES_MAX] = { "#d55e00", "#0072b2", "#009e73",
						"#cc79a7", "#e69f00", "#56b4e9",
						"#8a7a00", "#7f7f7f" };

struct chart {
	const struct growth *g;
	struct buf *to;
	double low, high;
};

static void put_escaped(struct buf *to, const char *s)
{
	for (; *s; s++) {
		const unsigned char c = (unsigned char)*s;
		if (c == '&')
			buf_append_str(to, "&amp;");
		else if (c == '<')
			buf_append_str(to, "&lt;");
		else if (c == '>')
			buf_append_str(to, "&gt;");
		else if (c == '"')
			buf_append_str(to, "&quot;");
		else if (c >= 0x20)
			buf_append_char(to, *s);
	}
}

static double x_of(const struct chart *c, size_t step)
{
	const struct growth *g = c->g;
	const double width = WIDTH - LEFT - RIGHT;
	const double span = (double)(g->steps[g->n_steps - 1].time_ns -
				     g->steps[0].time_ns);
	/* Without times the steps stand at equal distances. */
	if (g->steps[0].time_ns <= 0 || span <= 0)
		return LEFT + (g->n_steps < 2
				       ? 0
				       : width * (double)step /
						 (double)(g->n_steps - 1));
	return LEFT +
	       width * (double)(g->steps[step].time_ns - g->steps[0].time_ns) /
		       span;
}

static double y_of(const struct chart *c, double v)
{
	return TOP +
	       (HEIGHT - TOP - BOTTOM) * (c->high - v) / (c->high - c->low);
}

/* The next 1, 2 or 5 times a power of ten (of two, for bytes). */
static double nice_step(const struct chart *c, double v)
{
	const bool bytes = !strcmp(c->g->unit, "bytes");
	const double kilo = bytes ? pow(1024, floor(log(v) / log(1024))) : 1;
	const double ten = pow(10, floor(log10(v / kilo)));
	const double steps[] = { 1, 2, 5, 10 };
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (steps[i] * ten * kilo >= v)
			return steps[i] * ten * kilo;
	return v;
}

static void set_range(struct chart *c)
{
	for (size_t i = 0; i < c->g->n_steps; i++) {
		c->high = fmax(c->high, c->g->total.values[i]);
		c->low = fmin(c->low, c->g->total.values[i]);
	}
	for (size_t f = 0; f < c->g->n_rows && f < LINES_MAX; f++)
		for (size_t i = 0; i < c->g->n_steps; i++) {
			c->high = fmax(c->high, c->g->rows[f].values[i]);
			c->low = fmin(c->low, c->g->rows[f].values[i]);
		}
	if (!(c->high > c->low))
		c->high = c->low + 1;
}

static void put_axes(const struct chart *c)
{
	char text[GROWTH_AMOUNT_TEXT];
	size_t marks[X_MARKS];
	const double step = nice_step(c, (c->high - c->low) / 5);
	for (double v = ceil(c->low / step) * step; v <= c->high; v += step)
		buf_printf(c->to,
			   "<line class=\"grid\" x1=\"%d\" x2=\"%d\" "
			   "y1=\"%.1f\" y2=\"%.1f\"/>\n<text x=\"%d\" "
			   "y=\"%.1f\" text-anchor=\"end\">%s%s</text>\n",
			   LEFT, WIDTH - RIGHT, y_of(c, v), y_of(c, v),
			   LEFT - 8, y_of(c, v) + 4,
			   growth_amount(c->g, v, false, text),
			   c->g->per_second ? "/s" : "");
	const size_t n = growth_choose_steps(c->g, X_MARKS, marks);
	for (size_t i = 0; i < n; i++)
		buf_printf(c->to,
			   "<text x=\"%.1f\" y=\"%d\" "
			   "text-anchor=\"middle\">%s</text>\n",
			   x_of(c, marks[i]), HEIGHT - BOTTOM + 20,
			   growth_when(c->g, marks[i], text));
}

static void put_line(const struct chart *c, const struct growth_row *r,
		     const char *colour, const char *more)
{
	char text[GROWTH_AMOUNT_TEXT], when[GROWTH_AMOUNT_TEXT];
	buf_printf(c->to,
		   "<g stroke=\"%s\" fill=\"%s\"><polyline %s"
		   "fill=\"none\" stroke-width=\"2\" points=\"",
		   colour, colour, more);
	for (size_t i = 0; i < c->g->n_steps; i++)
		buf_printf(c->to, "%s%.1f,%.1f", i ? " " : "", x_of(c, i),
			   y_of(c, r->values[i]));
	buf_append_str(c->to, "\"/>\n");
	for (size_t i = 0; i < c->g->n_steps; i++) {
		buf_printf(c->to,
			   "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>",
			   x_of(c, i), y_of(c, r->values[i]));
		put_escaped(c->to, r->name);
		buf_printf(c->to, ", %s: %s</title></circle>\n",
			   growth_when(c->g, i, when),
			   growth_amount(c->g, r->values[i], false, text));
	}
	buf_append_str(c->to, "</g>\n");
}

static void put_legend(const struct chart *c, const struct growth_row *r,
		       size_t row, const char *colour)
{
	char text[GROWTH_AMOUNT_TEXT], name[36];
	const int y = TOP + 10 + 40 * (int)row;
	/* A name that is too long for the margin keeps its end. */
	const size_t n = strlen(r->name);
	snprintf(name, sizeof(name), "%s%s", n > 32 ? "..." : "",
		 n > 32 ? r->name + n - 29 : r->name);
	buf_printf(c->to,
		   "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" "
		   "fill=\"%s\"/>\n<text x=\"%d\" y=\"%d\">",
		   WIDTH - RIGHT + 20, y - 10, colour, WIDTH - RIGHT + 40, y);
	put_escaped(c->to, name);
	buf_printf(c->to,
		   "</text>\n<text class=\"dim\" x=\"%d\" y=\"%d\">%s%s, "
		   "%s</text>\n",
		   WIDTH - RIGHT + 40, y + 15,
		   growth_amount(c->g, r->change, true, text),
		   c->g->per_second ? "/s" : "",
		   growth_verdict_text(r->verdict));
}

void growth_write_svg(const struct growth *g, struct buf *to)
{
	struct chart c = { .g = g, .to = to };
	set_range(&c);
	buf_printf(
		to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d "
		"%d\" role=\"img\">\n<style>\n"
		"svg { font: 12px sans-serif; background: #fff; color: #222 }\n"
		"text { fill: #222 } .dim { fill: #666 }\n"
		".grid { stroke: #ddd }\n"
		"@media (prefers-color-scheme: dark) {\n"
		"svg { background: #181818 } text { fill: #ddd }\n"
		".dim { fill: #aaa } .grid { stroke: #444 } }\n"
		"</style>\n<title>%s by function, %zu profiles</title>\n"
		"<text x=\"%d\" y=\"24\" font-size=\"16\">%s%s by function "
		"(%s)</text>\n",
		WIDTH, HEIGHT, g->type, g->n_steps, LEFT, g->type,
		g->per_second ? " a second" : "",
		g->options.cum ? "cum" : "flat");
	put_axes(&c);
	put_line(&c, &g->total, "#999", "stroke-dasharray=\"6 4\" ");
	put_legend(&c, &g->total, 0, "#999");
	for (size_t f = 0; f < g->n_rows && f < LINES_MAX; f++) {
		put_line(&c, &g->rows[f], colours[f], "");
		put_legend(&c, &g->rows[f], f + 1, colours[f]);
	}
	buf_append_str(to, "</svg>\n");
}

void growth_write_html(const struct growth *g, size_t max_rows, struct buf *to)
{
	struct buf text = { 0 };
	growth_write_text(g, max_rows, &text);
	buf_printf(to,
		   "<!DOCTYPE html>\n<html lang=\"en\">\n<meta "
		   "charset=\"utf-8\">\n<title>%s over time</title>\n<style>\n"
		   ":root { color-scheme: light dark }\n"
		   "body { font: 14px sans-serif; margin: 1em auto; max-width: "
		   "72em }\n"
		   "svg { max-width: 100%% } pre { overflow-x: auto }\n"
		   "</style>\n",
		   g->type);
	growth_write_svg(g, to);
	buf_append_str(to, "<pre>");
	for (const char *s = buf_str(&text); *s; s++) {
		const char one[2] = { *s, '\0' };
		if (*s == '\n')
			buf_append_char(to, '\n');
		else
			put_escaped(to, one);
	}
	buf_append_str(to, "</pre>\n</html>\n");
	buf_free(&text);
}
