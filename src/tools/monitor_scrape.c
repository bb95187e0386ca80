/* monitor_scrape.c - see monitor_scrape.h. */
#include "tools/monitor_scrape.h"

#include "base/attr.h"
#include "base/err.h"
#include "base/parse.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LEN = 128, LABEL_MAX_LEN = 256 };

struct sample {
	char name[NAME_MAX_LEN];
	char route[LABEL_MAX_LEN], le[32];
	double value;
};

/* ---- lines ---- */

/* NAME="VALUE" with its escapes.  Returns: what follows, or NULL. */
static const char *read_label(const char *s, char *name, size_t name_size,
			      char *value, size_t value_size)
{
	size_t n = 0;
	while (*s == ' ' || *s == ',')
		s++;
	while (isalnum((unsigned char)*s) || *s == '_') {
		if (n + 1 < name_size)
			name[n++] = *s;
		s++;
	}
	name[n] = '\0';
	if (!n || s[0] != '=' || s[1] != '"')
		return NULL;
	n = 0;
	for (s += 2; *s && *s != '"'; s++) {
		if (*s == '\\' && !*++s)
			return NULL;
		if (n + 1 < value_size)
			value[n++] = *s;
	}
	value[n] = '\0';
	return *s == '"' ? s + 1 : NULL;
}

static const char *read_labels(const char *s, struct sample *ret)
{
	char name[NAME_MAX_LEN], value[LABEL_MAX_LEN];
	for (s++; *s != '}';) {
		s = read_label(s, name, sizeof(name), value, sizeof(value));
		if (!s)
			return NULL;
		if (!strcmp(name, "route"))
			memcpy(ret->route, value, sizeof(value));
		else if (!strcmp(name, "le"))
			snprintf(ret->le, sizeof(ret->le), "%.31s", value);
		while (*s == ' ' || *s == ',')
			s++;
	}
	return s + 1;
}

/* Returns: 0, or -1 when the line is no sample. */
static int read_sample(const char *s, struct sample *ret)
{
	size_t n = 0;
	*ret = (struct sample){ 0 };
	while (isalnum((unsigned char)*s) || *s == '_' || *s == ':') {
		if (n + 1 < sizeof(ret->name))
			ret->name[n++] = *s;
		s++;
	}
	if (!n)
		return -1;
	if (*s == '{')
		s = read_labels(s, ret);
	if (!s || *s != ' ')
		return -1;
	char *end;
	ret->value = strtod(s, &end);
	/* A time in milliseconds may follow. */
	return end > s && end[strspn(end, " 0123456789-\r")] == '\0' ? 0 : -1;
}

/* ---- figures ---- */

static bool is_wanted(const char *route, const char *wanted)
{
	static const char *const watching[] = { "/metrics", "/health", "/stats",
						"/dashboard" };
	if (wanted)
		return !strcmp(route, wanted);
	for (size_t i = 0; i < ARRAY_SIZE(watching); i++)
		if (!strcmp(route, watching[i]))
			return false;
	return true;
}

static void add(double *to, double v)
{
	*to = isnan(*to) ? v : *to + v;
}

static void add_bucket(struct scrape *s, double le, double count)
{
	size_t i = 0;
	while (i < s->n_buckets && s->buckets[i].le < le)
		i++;
	if (i < s->n_buckets && s->buckets[i].le == le) {
		s->buckets[i].count += count;
		return;
	}
	if (s->n_buckets == SCRAPE_BUCKETS_MAX)
		return;
	memmove(&s->buckets[i + 1], &s->buckets[i],
		(s->n_buckets - i) * sizeof(s->buckets[0]));
	s->buckets[i] = (struct scrape_bucket){ le, count };
	s->n_buckets++;
}

static void take(struct scrape *s, const struct sample *m, const char *route)
{
	static const struct {
		const char *name;
		size_t offset;
		bool by_route;
	} known[] = {
#define FIELD(f) offsetof(struct scrape, f)
		{ "proflab_memory_allocated_bytes", FIELD(memory), false },
		{ "proflab_threads", FIELD(threads), false },
		{ "proflab_http_requests_total", FIELD(requests), true },
		{ "proflab_http_request_errors_total", FIELD(errors), true },
		{ "pprof_lock_wait_seconds_total", FIELD(lock_wait), false },
		{ "process_cpu_seconds_total", FIELD(cpu), false },
		{ "process_start_time_seconds", FIELD(started), false },
#undef FIELD
	};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(m->name, known[i].name) &&
		    (!known[i].by_route || is_wanted(m->route, route)))
			add((double *)((char *)s + known[i].offset), m->value);
	if (!strcmp(m->name, "proflab_http_request_duration_seconds_bucket") &&
	    is_wanted(m->route, route))
		add_bucket(s, strtod(m->le, NULL), m->value);
}

int scrape_parse(const char *text, const char *route, struct scrape *ret,
		 struct err *e)
{
	struct scrape s = { .at_ns = ret->at_ns,
			    .started = NAN,
			    .memory = NAN,
			    .threads = NAN,
			    .requests = NAN,
			    .errors = NAN,
			    .lock_wait = NAN,
			    .cpu = NAN };
	char line[4096];
	struct sample m;
	for (int number = 1; *text; number++) {
		const size_t n = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s",
			 n < sizeof(line) ? (int)n : (int)sizeof(line) - 1,
			 text);
		text += n + (text[n] == '\n');
		if (!*line || *line == '#')
			continue;
		if (read_sample(line, &m))
			return err_set(e, ERR_FORMAT,
				       "line %d is no sample: %.80s", number,
				       line);
		take(&s, &m, route);
	}
	if (isnan(s.requests) && route)
		return err_set(e, ERR_NOTFOUND, "no figure of a route \"%s\"",
			       route);
	if (isnan(s.memory) && isnan(s.threads) && isnan(s.requests))
		return err_set(e, ERR_NOTFOUND,
			       "none of proflab's figures is there");
	*ret = s;
	return 0;
}

bool scrape_is_restart(const struct scrape *before, const struct scrape *now)
{
	return now->requests < before->requests || now->cpu < before->cpu ||
	       fabs(now->started - before->started) > 0.05;
}

double scrape_quantile(double q, const struct scrape_bucket *b, size_t n)
{
	const double total = n ? b[n - 1].count : 0;
	if (!(total > 0))
		return NAN;
	size_t i = 0;
	while (i + 1 < n && b[i].count < q * total)
		i++;
	if (isinf(b[i].le))
		return n > 1 ? b[n - 2].le : NAN;
	const double low = i ? b[i - 1].le : 0;
	const double below = i ? b[i - 1].count : 0;
	if (!(b[i].count > below))
		return b[i].le;
	return low +
	       (b[i].le - low) * (q * total - below) / (b[i].count - below);
}

void scrape_figures(const struct scrape *before, const struct scrape *now,
		    double ret[FIGURES])
{
	for (size_t f = 0; f < FIGURES; f++)
		ret[f] = NAN;
	ret[FIGURE_MEMORY] = now->memory;
	ret[FIGURE_THREADS] = now->threads;
	if (!before || now->at_ns <= before->at_ns)
		return;
	const double s = (double)(now->at_ns - before->at_ns) / 1e9;
	const double requests = now->requests - before->requests;
	ret[FIGURE_REQUESTS] = requests / s;
	if (requests > 0)
		ret[FIGURE_ERRORS] = (now->errors - before->errors) / requests;
	ret[FIGURE_LOCK_WAIT] = (now->lock_wait - before->lock_wait) / s;
	ret[FIGURE_CPU] = (now->cpu - before->cpu) / s;
	if (now->n_buckets != before->n_buckets)
		return;
	struct scrape_bucket b[SCRAPE_BUCKETS_MAX];
	for (size_t i = 0; i < now->n_buckets; i++)
		b[i] = (struct scrape_bucket){
			now->buckets[i].le,
			now->buckets[i].count - before->buckets[i].count
		};
	ret[FIGURE_P99] = scrape_quantile(0.99, b, now->n_buckets);
}

/* ---- for people ---- */

static const char *const names[FIGURES] = { "memory", "threads", "requests",
					    "errors", "p99",	 "lockwait",
					    "cpu" };

const char *figure_name(enum figure f)
{
	return names[f];
}

static char *bytes_text(double v, char *buf)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	size_t i = 0;
	while (v >= 1000 && i + 1 < ARRAY_SIZE(units)) {
		v /= 1000;
		i++;
	}
	snprintf(buf, FIGURE_TEXT, v < 10 && i ? "%.2f%s" : "%.1f%s", v,
		 units[i]);
	return buf;
}

char *figure_text(enum figure f, double v, char buf[static FIGURE_TEXT])
{
	if (isnan(v)) {
		snprintf(buf, FIGURE_TEXT, "-");
		return buf;
	}
	switch (f) {
	case FIGURE_MEMORY:
		return bytes_text(v, buf);
	case FIGURE_THREADS:
		snprintf(buf, FIGURE_TEXT, "%.0f", v);
		break;
	case FIGURE_REQUESTS:
		snprintf(buf, FIGURE_TEXT, "%.1f/s", v);
		break;
	case FIGURE_ERRORS:
		snprintf(buf, FIGURE_TEXT, "%.1f%%", 100 * v);
		break;
	case FIGURE_P99:
		snprintf(buf, FIGURE_TEXT, v < 1 ? "%.3gms" : "%.3gs",
			 v < 1 ? 1000 * v : v);
		break;
	case FIGURE_LOCK_WAIT:
	case FIGURE_CPU:
	case FIGURES:
		snprintf(buf, FIGURE_TEXT, "%.2fs/s", v);
		break;
	}
	return buf;
}

static int parse_unit(const char *text, const char *const *units,
		      const double *factors, size_t n, double *ret)
{
	char *end;
	const double v = strtod(text, &end);
	if (end == text || !isdigit((unsigned char)*text))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(end, units[i])) {
			*ret = v * factors[i];
			return 0;
		}
	return -1;
}

int figure_parse(enum figure f, const char *text, double *ret, struct err *e)
{
	static const char *const bytes[] = { "",   "B",	  "kB",	 "MB",
					     "GB", "KiB", "MiB", "GiB" };
	static const double by_bytes[] = { 1,	1,	1e3,	1e6,
					   1e9, 0x1p10, 0x1p20, 0x1p30 };
	static const char *const shares[] = { "", "%" };
	static const double by_shares[] = { 1, 0.01 };
	static const char *const plain[] = { "", "/s", "s/s" };
	static const double by_plain[] = { 1, 1, 1 };
	int64_t ns;
	switch (f) {
	case FIGURE_MEMORY:
		if (!parse_unit(text, bytes, by_bytes, ARRAY_SIZE(bytes), ret))
			return 0;
		break;
	case FIGURE_ERRORS:
		if (!parse_unit(text, shares, by_shares, 2, ret))
			return 0;
		break;
	case FIGURE_P99:
		if (!parse_duration(text, "", 0, INT64_MAX, &ns, NULL)) {
			*ret = (double)ns / 1e9;
			return 0;
		}
		break;
	default:
		if (!parse_unit(text, plain, by_plain, 3, ret))
			return 0;
	}
	return err_set(e, ERR_INVALID, "-max %s is \"%.40s\": must be like %s",
		       names[f], text,
		       f == FIGURE_MEMORY   ? "500MB"
		       : f == FIGURE_ERRORS ? "5%"
		       : f == FIGURE_P99    ? "250ms"
					    : "20");
}
