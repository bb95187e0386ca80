/*
 * page.c - the page as one HTML text, put together from its assets, and the
 * policy that allows these alone.
 */
#include "web/web.h"

#include "base/attr.h"
#include "base/embed.h"
#include "base/err.h"
#include "web/csp.h"

#include <string.h>

EMBED(page_html, "web/page.html");
EMBED(page_css, "web/page.css");
EMBED(page_base, "web/base.js");
EMBED(page_views, "web/views.js");
EMBED(page_flame, "web/flame.js");
EMBED(page_graph, "web/graph.js");
EMBED(page_source, "web/source.js");
EMBED(page_live, "web/live.js");
EMBED(page_main, "web/main.js");

const struct web_header web_headers[] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cache-Control", "no-store" },
};
const size_t web_n_headers = ARRAY_SIZE(web_headers);

static const char policy_start[] =
	"default-src 'none'; base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'; connect-src 'self'; img-src data:";

/* One element with its text, and the hash of that text for the policy. */
static void append_element(struct web_page *p, const char *tag,
			   const char *text, size_t len)
{
	char hash[CSP_HASH_TEXT];
	buf_printf(&p->html, "<%s>", tag);
	buf_append(&p->html, text, len);
	buf_printf(&p->html, "</%s>\n", tag);
	buf_printf(&p->policy, " %s", csp_hash(text, len, hash));
}

static void append_scripts(struct web_page *p)
{
	const struct {
		const char *text;
		size_t len;
	} scripts[] = {
		{ embed_page_base, EMBED_SIZE(page_base) },
		{ embed_page_views, EMBED_SIZE(page_views) },
		{ embed_page_flame, EMBED_SIZE(page_flame) },
		{ embed_page_graph, EMBED_SIZE(page_graph) },
		{ embed_page_source, EMBED_SIZE(page_source) },
		{ embed_page_live, EMBED_SIZE(page_live) },
		{ embed_page_main, EMBED_SIZE(page_main) },
	};
	buf_append_str(&p->policy, "; script-src");
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		append_element(p, "script", scripts[i].text, scripts[i].len);
}

int web_page(bool live, struct web_page *ret_page)
{
	static const char mark[] = "<!-- style -->";
	struct web_page p = { 0 };
	const char *head = embed_page_html, *rest = strstr(head, mark);
	if (!rest)
		return ERR_FORMAT; /* of our own file: a test would see it */
	buf_append_str(&p.policy, policy_start);
	buf_append(&p.html, head, (size_t)(rest - head));
	buf_append_str(&p.policy, "; style-src");
	append_element(&p, "style", embed_page_css, EMBED_SIZE(page_css));
	buf_append_str(&p.html, rest + sizeof(mark) - 1);
	if (live)
		buf_append_str(&p.html, "<template id=\"live\"></template>\n");
	append_scripts(&p);
	if (p.html.failed || p.policy.failed) {
		web_page_free(&p);
		return ERR_NOMEM;
	}
	*ret_page = p;
	return 0;
}

void web_page_free(struct web_page *p)
{
	buf_free(&p->html);
	buf_free(&p->policy);
}
