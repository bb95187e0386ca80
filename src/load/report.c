/* report.c - see report.h. */
#include "load/report.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/parse.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MS 1e6

static const struct {
	const char *label, *key;
	double q;
} quantiles[] = {
	{ "P50 Latency", "p50", 0.5 },
	{ "P90 Latency", "p90", 0.9 },
	{ "P99 Latency", "p99", 0.99 },
	{ "P99.9 Latency", "p999", 0.999 },
};

/* Four digits are what a latency is good for. */
static const char *print_latency(double ns, char text[PARSE_DURATION_TEXT])
{
	int64_t unit = 1;
	while (ns / (double)unit >= 9999.5)
		unit *= 10;
	return format_duration((int64_t)(ns / (double)unit + 0.5) * unit, text);
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static double per_second(uint64_t count, int64_t ns)
{
	return ns > 0 ? (double)count / ((double)ns / 1e9) : 0.0;
}

static void print_latencies(struct buf *to, const struct histogram *h)
{
	char text[PARSE_DURATION_TEXT];
	if (!h->count)
		return;
	buf_printf(to, "Average Latency: %s\n",
		   print_latency(histogram_mean(h), text));
	buf_printf(to, "Min Latency: %s\n",
		   print_latency((double)h->min_ns, text));
	for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++) {
		const int64_t ns = histogram_quantile(h, quantiles[i].q);
		buf_printf(to, "%s: %s\n", quantiles[i].label,
			   print_latency((double)ns, text));
	}
	buf_printf(to, "Max Latency: %s\n",
		   print_latency((double)h->max_ns, text));
}

static void print_errors(struct buf *to, const struct results *r)
{
	char name[RESULTS_FAILURE_NAME];
	if (!r->failures)
		return;
	buf_append_str(to, "\nErrors by Type:\n");
	for (size_t i = 0; i < RESULTS_FAILURE_TYPES; i++)
		if (r->by_type[i].count)
			buf_printf(to, "  %s: %" PRIu64 "\n",
				   results_failure_name(r->by_type[i].type,
							name),
				   r->by_type[i].count);
}

int report_summary(struct buf *to, const struct load_options *o,
		   const struct results *r, int64_t elapsed_ns)
{
	char text[PARSE_DURATION_TEXT];
	const uint64_t total = r->successes + r->failures;
	buf_append_str(to, "\n=== Load Test Results ===\n");
	buf_printf(to, "Scenario: %s (seed %" PRId64 ", concurrency %" PRId64,
		   o->scenario->name, o->seed, o->concurrency);
	if (o->rps)
		buf_printf(to, ", %" PRId64 " requests a second)\n", o->rps);
	else
		buf_append_str(to, ", no limit on the rate)\n");
	buf_printf(to, "Duration: %s\n",
		   print_latency((double)elapsed_ns, text));
	buf_printf(to, "Total Requests: %" PRIu64 "\n", total);
	buf_printf(to, "Successful Requests: %" PRIu64 "\n", r->successes);
	buf_printf(to, "Failed Requests: %" PRIu64 "\n", r->failures);
	if (r->not_sent)
		buf_printf(to,
			   "Not Sent: %" PRIu64 " (due, but every connection "
			   "was busy; their waiting is in the latencies)\n",
			   r->not_sent);
	if (r->abandoned)
		buf_printf(to,
			   "Abandoned: %" PRIu64 " (unanswered when the time "
			   "to wait for them was over)\n",
			   r->abandoned);
	buf_printf(to, "Success Rate: %.2f%%\n", share(r->successes, total));
	buf_printf(to, "Requests/Second: %.2f\n",
		   per_second(total, elapsed_ns));
	print_latencies(to, &r->latencies);
	print_errors(to, r);
	if (r->latencies.count) {
		buf_append_str(to, "\nLatency Distribution:\n");
		for (size_t i = 0; i < RESULTS_CLASSES; i++)
			buf_printf(to, "  %s: %" PRIu64 " (%.2f%%)\n",
				   results_classes[i].label, r->classes[i],
				   share(r->classes[i], r->latencies.count));
	}
	return to->failed;
}

/* ---- JSON ---- */

static json_t *latencies_json(const struct histogram *h)
{
	json_t *o = json_pack("{s:f, s:f, s:f}", "min", (double)h->min_ns / MS,
			      "mean", histogram_mean(h) / MS, "max",
			      (double)h->max_ns / MS);
	for (size_t i = 0; o && i < ARRAY_SIZE(quantiles); i++)
		json_object_set_new(o, quantiles[i].key,
				    json_real((double)histogram_quantile(
						      h, quantiles[i].q) /
					      MS));
	return o;
}

static json_t *errors_json(const struct results *r)
{
	char name[RESULTS_FAILURE_NAME];
	json_t *o = json_object();
	for (size_t i = 0; o && i < RESULTS_FAILURE_TYPES; i++)
		if (r->by_type[i].count)
			json_object_set_new(
				o,
				results_failure_name(r->by_type[i].type, name),
				json_integer((json_int_t)r->by_type[i].count));
	return o;
}

static json_t *classes_json(const struct results *r)
{
	json_t *list = json_array();
	for (size_t i = 0; list && i < RESULTS_CLASSES; i++)
		json_array_append_new(
			list,
			json_pack("{s:s, s:I, s:f}", "latency",
				  results_classes[i].label, "count",
				  (json_int_t)r->classes[i], "percent",
				  share(r->classes[i], r->latencies.count)));
	return list;
}

int report_json(struct buf *to, const struct load_options *o,
		const struct results *r, int64_t elapsed_ns)
{
	const uint64_t total = r->successes + r->failures;
	json_t *root = json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I,"
		" s:f, s:f, s:o, s:o, s:o}",
		"scenario", o->scenario->name, "url", o->url, "seed",
		(json_int_t)o->seed, "concurrency", (json_int_t)o->concurrency,
		"rps", (json_int_t)o->rps, "duration_seconds",
		(double)elapsed_ns / 1e9, "total_requests", (json_int_t)total,
		"successful_requests", (json_int_t)r->successes,
		"failed_requests", (json_int_t)r->failures, "not_sent",
		(json_int_t)r->not_sent, "abandoned", (json_int_t)r->abandoned,
		"bytes", (json_int_t)r->bytes, "success_rate",
		share(r->successes, total), "requests_per_second",
		per_second(total, elapsed_ns), "latency_ms",
		latencies_json(&r->latencies), "errors", errors_json(r),
		"latency_distribution", classes_json(r));
	char *text =
		root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9))
		     : NULL;
	json_decref(root);
	if (!text)
		return ERR_NOMEM;
	buf_append_str(to, text);
	buf_append_char(to, '\n');
	free(text);
	return to->failed;
}

/* ---- progress ---- */

int report_progress(struct buf *to, const struct results *before,
		    const struct results *now, int64_t elapsed_ns,
		    int64_t interval_ns)
{
	const uint64_t total = now->successes + now->failures;
	const uint64_t recent = total - before->successes - before->failures;
	struct histogram *h = malloc(sizeof(*h));
	if (!h)
		return ERR_NOMEM;
	*h = now->latencies;
	histogram_subtract(h, &before->latencies);
	char p50[PARSE_DURATION_TEXT] = "-", p99[PARSE_DURATION_TEXT] = "-";
	if (h->count) {
		print_latency((double)histogram_quantile(h, 0.5), p50);
		print_latency((double)histogram_quantile(h, 0.99), p99);
	}
	free(h);
	buf_printf(to,
		   "%4" PRId64 "s  %" PRIu64 " requests  %.1f/s  %" PRIu64
		   " errors  %.1f%% success  p50 %s  p99 %s",
		   (elapsed_ns + 500000000) / 1000000000, total,
		   per_second(recent, interval_ns), now->failures,
		   share(now->successes, total), p50, p99);
	return to->failed;
}
