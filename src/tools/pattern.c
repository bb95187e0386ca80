/* pattern.c - see pattern.h. */
#include "tools/pattern.h"

#include "base/err.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

int pattern_new(const char *text, enum pattern_kind kind,
		struct pattern **ret_pattern, struct err *e)
{
	struct pattern *p = calloc(1, sizeof(*p));
	if (!p)
		return ERR_NOMEM;
	int code;
	PCRE2_SIZE at;
	const uint32_t options =
		kind == PATTERN_WHOLE ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0;
	p->code = pcre2_compile((PCRE2_SPTR)text, strlen(text), options, &code,
				&at, NULL);
	if (!p->code) {
		PCRE2_UCHAR why[120];
		pcre2_get_error_message(code, why, sizeof(why));
		free(p);
		return err_set(e, ERR_INVALID,
			       "regular expression \"%.80s\": %s at character "
			       "%zu",
			       text, (const char *)why, (size_t)at + 1);
	}
	p->data = pcre2_match_data_create(1, NULL);
	p->limits = pcre2_match_context_create(NULL);
	if (!p->data || !p->limits) {
		pattern_free(p);
		return ERR_NOMEM;
	}
	pcre2_set_match_limit(p->limits, 1000000);
	pcre2_set_depth_limit(p->limits, 10000);
	*ret_pattern = p;
	return 0;
}

bool pattern_matches(const struct pattern *p, const char *text)
{
	return pcre2_match(p->code, (PCRE2_SPTR)text, strlen(text), 0, 0,
			   p->data, p->limits) >= 0;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	pcre2_match_context_free(p->limits);
	pcre2_match_data_free(p->data);
	pcre2_code_free(p->code);
	free(p);
}
