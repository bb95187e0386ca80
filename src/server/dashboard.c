/*
 * dashboard.c - the page as one text, put together from its assets and the
 * chart library, and the policy that allows these alone.
 */
#include "server/dashboard.h"

#include "base/attr.h"
#include "base/embed.h"
#include "base/err.h"
#include "web/csp.h"

#include <string.h>

EMBED(dashboard_html, "server/dashboard.html");
EMBED(dashboard_css, "server/dashboard.css");
EMBED(dashboard_metrics, "server/dashboard_metrics.js");
EMBED(dashboard_charts, "server/dashboard_charts.js");
EMBED(dashboard_main, "server/dashboard.js");
/* Debian's libjs-dygraphs; its notice must be in every copy. */
EMBED(dygraphs, "dygraph.min.js");
EMBED(dygraphs_css, "dygraph.min.css");
EMBED(dygraphs_notice, "server/dygraphs.notice");

static const char policy_start[] =
	"default-src 'none'; base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'; connect-src 'self'; img-src data:";

/* Up to the mark, which is left out.  Returns: what comes after it, or NULL,
 * which would be a fault of our own file. */
static const char *copy_until(struct buf *b, const char *text, const char *mark)
{
	const char *at = text ? strstr(text, mark) : NULL;
	if (!at)
		return NULL;
	buf_append(b, text, (size_t)(at - text));
	return at + strlen(mark);
}

static void append_escaped(struct buf *b, const char *s)
{
	for (; *s; s++)
		if (*s == '&' || *s == '<' || *s == '>' || *s == '"')
			buf_printf(b, "&#%d;", *s);
		else
			buf_append_char(b, *s);
}

/* One element with its text, and the hash of that text for the policy. */
static void append_element(struct dashboard *d, const char *tag,
			   const char *text, size_t len)
{
	char hash[CSP_HASH_TEXT];
	buf_printf(&d->html, "<%s>", tag);
	buf_append(&d->html, text, len);
	buf_printf(&d->html, "</%s>\n", tag);
	buf_printf(&d->policy, " %s", csp_hash(text, len, hash));
}

static void append_styles(struct dashboard *d)
{
	buf_append_str(&d->policy, "; style-src");
	append_element(d, "style", embed_dygraphs_css,
		       EMBED_SIZE(dygraphs_css));
	append_element(d, "style", embed_dashboard_css,
		       EMBED_SIZE(dashboard_css));
}

static void append_scripts(struct dashboard *d)
{
	const struct {
		const char *text;
		size_t len;
	} scripts[] = {
		{ embed_dygraphs, EMBED_SIZE(dygraphs) },
		{ embed_dashboard_metrics, EMBED_SIZE(dashboard_metrics) },
		{ embed_dashboard_charts, EMBED_SIZE(dashboard_charts) },
		{ embed_dashboard_main, EMBED_SIZE(dashboard_main) },
	};
	buf_append_str(&d->policy, "; script-src");
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		append_element(d, "script", scripts[i].text, scripts[i].len);
}

int dashboard_make(const char *pprof, struct dashboard *ret_dashboard)
{
	struct dashboard d = { 0 };
	struct buf *b = &d.html;
	buf_append_str(&d.policy, policy_start);
	const char *at = copy_until(b, embed_dashboard_html, "<!-- notice -->");
	buf_append_str(b, "<!--\n");
	buf_append(b, embed_dygraphs_notice, EMBED_SIZE(dygraphs_notice));
	buf_append_str(b, "-->\n");
	at = copy_until(b, at, "<!-- style -->");
	append_styles(&d);
	at = copy_until(b, at, "<!-- pprof -->");
	append_escaped(b, pprof ? pprof : "");
	at = copy_until(b, at, "<!-- script -->");
	append_scripts(&d);
	if (at)
		buf_append_str(b, at);
	if (!at || d.html.failed || d.policy.failed) {
		dashboard_clear(&d);
		return at ? ERR_NOMEM : ERR_FORMAT;
	}
	*ret_dashboard = d;
	return 0;
}

void dashboard_clear(struct dashboard *d)
{
	buf_free(&d->html);
	buf_free(&d->policy);
}
