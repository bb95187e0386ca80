/*
 * text_flame.c - -flame: all stacks as one picture, an SVG that needs nothing
 * else: no script, no font, no network.
 *
 * Roots are at the top.  A box is as wide as its share of the whole; of a
 * difference, as wide as the larger of before and after, so that what is gone
 * keeps its place.  Names come from the profile and are escaped; whatever is
 * not a character of XML 1.0 becomes U+FFFD.
 */
#include "report/context.h"

#include "base/err.h"
#include "report/flame.h"

#include <math.h>
#include <string.h>

enum {
	WIDTH = 1200,
	MARGIN = 12,
	ROW = 19,
	DEPTH_MAX = 200,
	BOXES_MAX = 20000,
};
#define GLYPH_WIDTH 7.3	 /* pixels a character takes, at most */
#define NARROWEST   0.35 /* pixels; less is not drawn */

enum { HUES = 6 }; /* neighbours differ; a name has the same one everywhere */

static const char style[] =
	"<style>\n"
	"svg{color-scheme:light dark;background:#fcfcfb}\n"
	"text{font:12px ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,"
	"monospace;fill:#1c1b19;pointer-events:none}\n"
	".t{font:600 15px system-ui,\"DejaVu Sans\",sans-serif}\n"
	".s{font:12px system-ui,\"DejaVu Sans\",sans-serif;fill:#5d5a55}\n"
	"rect{stroke:#fcfcfb;stroke-width:.6}\n"
	".h0{fill:#f6c88f}.h1{fill:#f3b98a}.h2{fill:#f4d58d}.h3{fill:#efc39a}"
	".h4{fill:#f7d3a6}.h5{fill:#eebd7a}\n"
	".o{fill:#d9d6cf}\n"
	".u1{fill:#fbdcc0}.u2{fill:#f5b27a}.u3{fill:#e6803b}.u4{fill:#c9560f}\n"
	".d1{fill:#cfe1f2}.d2{fill:#98c3e6}.d3{fill:#5b9bd1}.d4{fill:#2a6fae}\n"
	".z{fill:#e6e3dd}\n"
	".w{fill:#fff}\n"
	"@media(prefers-color-scheme:dark){"
	"svg{background:#1b1b1d}.t{fill:#eceae6}.s{fill:#a9a6a0}"
	"rect{stroke:#1b1b1d}}\n"
	"</style>\n";

struct picture {
	struct report *r;
	struct out *o;
	struct flame f;
	double scale; /* pixels of a value of 1 */
	uint32_t rows;
	size_t boxes, narrow, deep;
};

/* ---- text ---------------------------------------------------------------- */

static bool is_xml_char(const char *s, size_t len)
{
	const unsigned char c = (unsigned char)*s;
	if (len == 1)
		return c >= 0x20 || c == '\t' || c == '\n';
	/* U+FFFE and U+FFFF */
	return !(len == 3 && c == 0xef && (unsigned char)s[1] == 0xbf &&
		 (unsigned char)s[2] >= 0xbe);
}

static void escape(struct out *o, const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		int valid;
		const size_t n = text_rune_len(s + i, len - i, &valid);
		if (!valid || !is_xml_char(s + i, n))
			out_str(o, "\xef\xbf\xbd");
		else if (s[i] == '<')
			out_str(o, "&lt;");
		else if (s[i] == '>')
			out_str(o, "&gt;");
		else if (s[i] == '&')
			out_str(o, "&amp;");
		else if (s[i] == '"')
			out_str(o, "&quot;");
		else
			out_bytes(o, s + i, n);
		i += n;
	}
}

/* As much of a name as fits into so many characters. */
static void write_fitting(struct out *o, const char *s, size_t fits)
{
	const size_t len = strlen(s);
	if (text_count_runes(s, len) <= fits) {
		escape(o, s, len);
		return;
	}
	size_t at = 0;
	for (size_t k = 0; k + 1 < fits && at < len; k++) {
		int valid;
		at += text_rune_len(s + at, len - at, &valid);
	}
	escape(o, s, at);
	out_str(o, "\xe2\x80\xa6");
}

static void write_value(const struct picture *p, int64_t value)
{
	char text[MEASURE_LABEL_MAX];
	const char *s = report_format(p->r, value, text);
	escape(p->o, s, strlen(s));
}

static void write_percent(const struct picture *p, int64_t value, int64_t total)
{
	char text[MEASURE_PERCENT_MAX];
	out_str(p->o, measure_percent_trimmed(value, total, text));
}

/* ---- boxes --------------------------------------------------------------- */

static int64_t change(const struct flame_node *n)
{
	/* Both are sums of what is not negative. */
	return n->after - n->before;
}

/* How much of the larger of the two the change is: four steps either way. */
static int change_step(const struct flame_node *n)
{
	const double larger =
		(double)(n->after > n->before ? n->after : n->before);
	const double share = fabs((double)change(n)) / larger;
	if (!(share >= 0.02))
		return 0;
	return share < 0.15 ? 1 : share < 0.4 ? 2 : share < 0.75 ? 3 : 4;
}

static const char *name_of(const struct picture *p, const struct flame_node *n)
{
	return n->frame == GRAPH_NONE ? "all"
				      : p->f.g.nodes[n->frame].printable;
}

static void write_class(const struct picture *p, const struct flame_node *n)
{
	if (p->f.has_base) {
		const int step = change_step(n);
		if (!step)
			out_str(p->o, "z");
		else
			out_printf(p->o, "%c%d", change(n) < 0 ? 'd' : 'u',
				   step);
	} else if (n->frame == GRAPH_NONE) {
		out_str(p->o, "o");
	} else {
		const char *name = name_of(p, n);
		out_printf(p->o, "h%u",
			   (unsigned)(map_hash(name, strlen(name), 0) % HUES));
	}
}

static void write_title(const struct picture *p, const struct flame_node *n)
{
	const struct flame_node *all = &p->f.nodes[0];
	struct out *o = p->o;
	const char *name = name_of(p, n);
	out_str(o, "<title>");
	escape(o, name, strlen(name));
	out_char(o, '\n');
	if (!p->f.has_base) {
		write_value(p, n->after);
		out_str(o, ", ");
		write_percent(p, n->after, all->after);
		if (n->own_after) {
			out_str(o, "; itself ");
			write_value(p, n->own_after);
		}
	} else {
		write_value(p, n->before);
		out_str(o, " before, ");
		write_value(p, n->after);
		out_str(o, " after: ");
		if (change(n) > 0)
			out_char(o, '+');
		write_value(p, change(n));
		if (!n->before)
			out_str(o, ", new");
		else if (!n->after)
			out_str(o, ", gone");
		else if (change(n)) {
			out_printf(o, ", %+.1f%%",
				   100.0 * (double)change(n) /
					   (double)n->before);
		}
	}
	out_str(o, "</title>");
}

static void write_box(struct picture *p, const struct flame_node *n, double x,
		      double w)
{
	struct out *o = p->o;
	const unsigned y = n->depth * ROW;
	out_str(o, "<g>");
	write_title(p, n);
	out_str(o, "<rect class=\"");
	write_class(p, n);
	out_printf(o, "\" x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%d\"/>",
		   x, y, w, ROW);
	const double fits = (w - 6) / GLYPH_WIDTH;
	if (fits >= 3) {
		const bool dark = p->f.has_base && change_step(n) == 4;
		out_printf(o, "<text%s x=\"%.2f\" y=\"%u\">",
			   dark ? " class=\"w\"" : "", x + 3, y + 13);
		write_fitting(o, name_of(p, n), (size_t)fits);
		out_str(o, "</text>");
	}
	out_str(o, "</g>\n");
	p->boxes++;
}

/*
 * Depth first without recursion: x of a node is kept while its children are
 * drawn, in a stack as deep as the picture.
 */
static void walk(struct picture *p, bool draw)
{
	double x[DEPTH_MAX + 1];
	uint32_t node = 0;
	x[0] = MARGIN;
	p->boxes = p->narrow = p->deep = 0;
	for (;;) {
		const struct flame_node *n = &p->f.nodes[node];
		const double w = (double)n->width * p->scale;
		bool down = false;
		if (w < NARROWEST || p->boxes >= BOXES_MAX) {
			p->narrow++;
		} else {
			if (n->depth + 1 > p->rows)
				p->rows = n->depth + 1;
			if (draw)
				write_box(p, n, x[n->depth], w);
			else
				p->boxes++;
			if (n->child && n->depth >= DEPTH_MAX)
				p->deep++;
			down = n->child && n->depth < DEPTH_MAX;
		}
		if (down) {
			x[n->depth + 1] = x[n->depth];
			node = n->child;
			continue;
		}
		while (node && !p->f.nodes[node].next)
			node = p->f.nodes[node].parent;
		if (!node)
			return;
		n = &p->f.nodes[node];
		x[n->depth] += (double)n->width * p->scale;
		node = n->next;
	}
}

/* ---- the whole ----------------------------------------------------------- */

static void write_head(struct picture *p, unsigned height)
{
	const struct report *r = p->r;
	const struct flame_node *all = &p->f.nodes[0];
	struct out *o = p->o;
	out_printf(o,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		   "height=\"%u\" viewBox=\"0 0 %d %u\">\n",
		   WIDTH, height, WIDTH, height);
	out_str(o, style);
	out_printf(o, "<text class=\"t\" x=\"%d\" y=\"25\">", MARGIN);
	if (r->title) {
		escape(o, r->title, strlen(r->title));
		out_str(o, " \xc2\xb7 ");
	}
	escape(o, r->sample_type, strlen(r->sample_type));
	out_printf(o, "</text>\n<text class=\"s\" x=\"%d\" y=\"44\">", MARGIN);
	if (!p->f.has_base) {
		write_value(p, all->after);
		out_str(o, " in all");
	} else {
		write_value(p, all->before);
		out_str(o, " before, ");
		write_value(p, all->after);
		out_str(o, " after. A box is as wide as the larger of the two; "
			   "orange is more, blue is less.");
	}
	out_str(o, "</text>\n");
}

static void write_legend(struct out *o)
{
	static const char *const steps[] = { "d4", "d3", "d2", "d1", "z",
					     "u1", "u2", "u3", "u4" };
	const int step = 26, x = WIDTH - MARGIN - 9 * step - 34;
	out_printf(o, "<text class=\"s\" x=\"%d\" y=\"21\">gone</text>\n",
		   x - 34);
	for (int i = 0; i < 9; i++)
		out_printf(o,
			   "<rect class=\"%s\" x=\"%d\" y=\"10\" width=\"%d\" "
			   "height=\"14\"/>\n",
			   steps[i], x + i * step, step);
	out_printf(o, "<text class=\"s\" x=\"%d\" y=\"21\">new</text>\n",
		   x + 9 * step + 6);
}

static void write_foot(const struct picture *p, unsigned y)
{
	struct out *o = p->o;
	out_printf(o, "<text class=\"s\" x=\"%d\" y=\"%u\">", MARGIN, y);
	if (!p->f.nodes[0].width)
		out_str(o, "There are no samples to show.");
	else if (p->narrow || p->deep)
		out_printf(o,
			   "Left out: %zu boxes narrower than a third of a "
			   "pixel, %zu stacks deeper than %d frames.",
			   p->narrow, p->deep, DEPTH_MAX);
	out_str(o, "</text>\n");
}

int text_write_flame(struct report *r, struct out *o, struct err *e)
{
	enum { TOP = 58, BOTTOM = 30 };
	struct picture p = { .r = r, .o = o };
	int rc = flame_build(r, NULL, &p.f);
	if (rc == ERR_LIMIT)
		err_set(e, rc, "too many different stacks");
	if (rc)
		goto out;
	const int64_t width = p.f.nodes[0].width;
	p.scale = width ? (WIDTH - 2.0 * MARGIN) / (double)width : 0;
	walk(&p, false);
	const unsigned foot = TOP + p.rows * ROW + 20;
	write_head(&p, foot + BOTTOM - 20);
	if (p.f.has_base)
		write_legend(o);
	out_printf(o, "<g transform=\"translate(0,%d)\">\n", TOP);
	if (width)
		walk(&p, true);
	out_str(o, "</g>\n");
	write_foot(&p, foot);
	out_str(o, "</svg>\n");
out:
	flame_free(&p.f);
	return rc;
}
