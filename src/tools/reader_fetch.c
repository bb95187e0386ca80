/* reader_fetch.c - see reader_fetch.h. */
#include "tools/reader_fetch.h"

#include "base/err.h"
#include "profile/decode.h"
#include "profile/profile.h"
#include "tools/die.h"
#include "tools/reader_flags.h"
#include "tools/reader_http.h"
#include "tools/reader_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One word of the command line that names a profile. */
struct origin {
	const char *name;
	bool is_base;
	char *url; /* owned; NULL = a file */
	struct http_request request;
	struct profile *profile; /* owned; NULL = it failed */
};

static void announce(const struct origin *o, int seconds)
{
	fprintf(stderr, "Fetching profile over HTTP from %s\n", o->url);
	if (seconds > 0) {
		char text[64];
		snprintf(text, sizeof(text), "%ds", seconds);
		if (seconds >= 3600)
			snprintf(text, sizeof(text), "%dh%dm%ds",
				 seconds / 3600, seconds / 60 % 60,
				 seconds % 60);
		else if (seconds >= 60)
			snprintf(text, sizeof(text), "%dm%ds", seconds / 60,
				 seconds % 60);
		fprintf(stderr, "Please wait... (%s)\n", text);
	}
}

/* All servers measure at the same time. */
static void ask_servers(struct origin *origins, size_t n)
{
	struct http_request *requests = xcalloc(n, sizeof(*requests));
	size_t n_requests = 0;
	for (size_t i = 0; i < n; i++)
		if (origins[i].url)
			requests[n_requests++] = origins[i].request;
	if (n_requests)
		http_run(requests, n_requests);
	n_requests = 0;
	for (size_t i = 0; i < n; i++)
		if (origins[i].url)
			origins[i].request = requests[n_requests++];
	free(requests);
}

static int read_origin(struct origin *o, struct err *e)
{
	if (!o->url)
		return profile_decode_file(o->name, NULL, &o->profile, e);
	if (*o->request.error.text)
		return err_set(e, ERR_IO, "%s", o->request.error.text);
	return profile_decode(o->request.body.data, o->request.body.len, NULL,
			      &o->profile, e);
}

static void read_all(struct origin *origins, size_t n,
		     const struct reader_source *s)
{
	for (size_t i = 0; i < n; i++) {
		struct origin *o = &origins[i];
		o->url = url_adjust(o->name, s->seconds, s->timeout,
				    &o->request.timeout_s);
		o->request.url = o->url;
		if (o->url)
			announce(o, s->seconds);
	}
	ask_servers(origins, n);
	for (size_t i = 0; i < n; i++) {
		struct err e = { "" };
		if (read_origin(&origins[i], &e))
			fprintf(stderr, "%s: %s\n", origins[i].name, e.text);
		buf_free(&origins[i].request.body);
	}
}

int fetch_profiles(const struct reader_source *s, struct profile **ret_profile,
		   struct err *e)
{
	const size_t n = s->n_sources + (*s->base != '\0');
	struct origin *origins = xcalloc(n, sizeof(*origins));
	for (size_t i = 0; i < n; i++) {
		origins[i].is_base = i == s->n_sources;
		origins[i].name = origins[i].is_base ? s->base : s->sources[i];
	}
	read_all(origins, n, s);
	int rc = 0;
	if (!origins[0].profile)
		rc = err_set(e, ERR_NOTFOUND,
			     "failed to fetch any source profiles");
	else
		*ret_profile = origins[0].profile;
	for (size_t i = 0; i < n; i++)
		free(origins[i].url);
	free(origins);
	return rc;
}
