/*
 * fuzz_metrics.c - any bytes as an answer of /metrics: read, and what was read
 * made into figures, without a crash; what is refused says why.
 */
#include "base/err.h"
#include "tools/monitor_scrape.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_scrape(const char *text, const char *route)
{
	struct scrape s = { .at_ns = 1000000000 }, none = { 0 };
	struct err e = { "" };
	double figures[FIGURES];
	char shown[FIGURE_TEXT];
	if (scrape_parse(text, route, &s, &e)) {
		if (!*e.text)
			abort();
		return;
	}
	if (s.n_buckets > SCRAPE_BUCKETS_MAX)
		abort();
	for (size_t i = 1; i < s.n_buckets; i++)
		if (s.buckets[i].le < s.buckets[i - 1].le)
			abort();
	scrape_is_restart(&none, &s);
	scrape_figures(&none, &s, figures);
	for (size_t f = 0; f < FIGURES; f++)
		if (strlen(figure_text((enum figure)f, figures[f], shown)) >=
		    sizeof(shown))
			abort();
	scrape_quantile(0.99, s.buckets, s.n_buckets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_scrape(text, NULL);
	check_scrape(text, "/cpu");
	free(text);
	return 0;
}
