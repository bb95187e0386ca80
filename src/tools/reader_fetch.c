/* reader_fetch.c - see reader_fetch.h. */
#include "tools/reader_fetch.h"

#include "base/err.h"
#include "profile/decode.h"
#include "profile/encode.h"
#include "profile/profile.h"
#include "report/combine.h"
#include "report/gopath.h"
#include "report/report.h"
#include "report/symbolize.h"
#include "tools/die.h"
#include "tools/reader_commands.h"
#include "tools/reader_flags.h"
#include "tools/reader_gunzip.h"
#include "tools/reader_http.h"
#include "tools/reader_temp.h"
#include "tools/reader_url.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One word of the command line that names a profile. */
struct origin {
	const char *name;
	bool is_base;
	char *url;    /* owned; NULL = a file */
	char *socket; /* owned; NULL = over TCP */
	struct http_request request;
	struct profile *profile; /* owned; NULL = it failed */
};

static void announce(const struct origin *o, int seconds)
{
	fprintf(stderr, "Fetching profile over HTTP from %s%s%s\n", o->url,
		o->socket ? " at " : "", o->socket ? o->socket : "");
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

/* More than anyone waits, and half of what an int holds. */
static int clamp_seconds(int64_t s)
{
	return s > INT32_MAX / 2 ? INT32_MAX / 2 : s < -1 ? -1 : (int)s;
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

static const struct profile_decode_options fast = { .gunzip = gunzip };

static int read_origin(struct origin *o, struct err *e)
{
	if (!o->url)
		return profile_decode_file(o->name, &fast, &o->profile, e);
	if (*o->request.error.text)
		return err_set(e, ERR_IO, "%s", o->request.error.text);
	return profile_decode(o->request.body.data, o->request.body.len, &fast,
			      &o->profile, e);
}

/* Names come whole, though they hold NULs.  Returns: what stands for one. */
static char hide_nuls(const struct origin *origins, size_t n)
{
	struct profile **ps = xcalloc(n, sizeof(*ps));
	size_t got = 0;
	for (size_t i = 0; i < n; i++)
		if (origins[i].profile)
			ps[got++] = origins[i].profile;
	const char byte = profile_hide_nuls(ps, got);
	free(ps);
	return byte;
}

static void read_all(struct origin *origins, size_t n,
		     const struct reader_source *s)
{
	const int seconds = clamp_seconds(s->seconds);
	for (size_t i = 0; i < n; i++) {
		struct origin *o = &origins[i];
		o->url = url_adjust(o->name, seconds, clamp_seconds(s->timeout),
				    &o->request.timeout_s, &o->socket);
		o->request.url = o->url;
		o->request.unix_socket = o->socket;
		if (o->url)
			announce(o, seconds);
	}
	ask_servers(origins, n);
	for (size_t i = 0; i < n; i++) {
		struct err e = { "" };
		if (read_origin(&origins[i], &e))
			fprintf(stderr, "%s: %s\n", origins[i].name, e.text);
		buf_free(&origins[i].request.body);
	}
}

/* ---- what is done to each ------------------------------------------------ */

/*
 * A profile without mappings gets one for all: binaries are looked for by
 * mapping.
 */
static void add_mapping(struct profile *p)
{
	const struct profile_mapping none = { 0 };
	if (p->n_mappings)
		return;
	if (profile_add_mapping(p, &none) == PROFILE_NONE)
		die("out of memory");
	for (size_t i = 0; i < p->n_locations; i++)
		p->locations[i].mapping = 0;
}

static uint32_t intern(struct profile *p, const char *text)
{
	const uint32_t string = profile_intern(p, text);
	if (string == PROFILE_NONE)
		die("out of memory");
	return string;
}

static void override_binary(struct profile *p, const struct reader_source *s)
{
	if (*s->exec_name)
		p->mappings[0].filename = intern(p, s->exec_name);
	if (*s->build_id)
		p->mappings[0].build_id = intern(p, s->build_id);
}

/* ---- and to all ---------------------------------------------------------- */

/* Add up those that were read; at most one is left of them. */
static int combine(struct origin *origins, size_t n, bool base,
		   const struct reader_source *s, struct profile **ret_profile,
		   struct err *e)
{
	struct profile **ps = xcalloc(n, sizeof(*ps));
	size_t wanted = 0, got = 0;
	for (size_t i = 0; i < n; i++) {
		if (origins[i].is_base != base)
			continue;
		wanted++;
		if (!origins[i].profile)
			continue;
		add_mapping(origins[i].profile);
		override_binary(origins[i].profile, s);
		ps[got++] = origins[i].profile;
		origins[i].profile = NULL;
	}
	const char *what = base ? "base" : "source";
	int rc = 0;
	if (wanted && !got)
		rc = err_set(e, ERR_NOTFOUND, "failed to fetch any %s profiles",
			     what);
	else if (wanted)
		rc = combine_profiles(ps, got, ret_profile, e);
	if (rc && got)
		err_prefix(e, rc, "problem fetching %s profiles", what);
	if (!rc && got < wanted)
		fprintf(stderr, "Fetched %zu %s profiles out of %zu\n", got,
			what, wanted);
	free(ps);
	return rc;
}

static int ask_server(void *arg, const char *query, struct buf *ret_answer,
		      struct err *e)
{
	struct http_request r = *(const struct http_request *)arg;
	r.post = query;
	http_run(&r, 1);
	const bool failed = *r.error.text;
	if (failed)
		err_set(e, ERR_IO, "http post %s: %.400s", r.url, r.error.text);
	else
		buf_append(ret_answer, buf_str(&r.body), r.body.len);
	buf_free(&r.body);
	return failed ? ERR_IO : ret_answer->failed;
}

static int symbolize(struct profile **p, const struct origin *origins, size_t n,
		     const char *mode, struct err *e)
{
	struct symbolize_options o;
	bool remote, nothing;
	char *url = NULL;
	struct http_request server = { .timeout_s = 60 };
	symbolize_parse(mode, &command_warn, &o, &remote, &nothing);
	if (nothing)
		return 0;
	for (size_t i = 0; i < n; i++)
		o.is_remote |= origins[i].url && !origins[i].is_base;
	for (size_t i = 0; remote && i < n && !url; i++)
		if (origins[i].url && !origins[i].is_base) {
			url = url_of_symbols(origins[i].url);
			server.unix_socket = origins[i].socket;
		}
	if (url) {
		server.url = url;
		o.ask = ask_server;
		o.arg = &server;
	}
	const int rc = symbolize_profile(p, &o, &command_warn, e);
	free(url);
	return rc;
}

static void make_folders(char *path)
{
	for (char *p = path + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(path, 0755);
			*p = '/';
		}
	mkdir(path, 0755);
}

/* Where fetched profiles are kept. */
static char *find_folder(void)
{
	const char *tmp = getenv("PPROF_TMPDIR"), *home = getenv("HOME");
	const char *last = getenv("TMPDIR");
	char *candidates[] = {
		tmp && *tmp ? xstrdup(tmp) : NULL,
		home && *home ? xasprintf("%s/pprof", home) : NULL,
		xstrdup(last && *last ? last : "/tmp"),
	};
	char *found = NULL;
	for (size_t i = 0; i < 3; i++) {
		if (candidates[i] && !found) {
			struct stat st;
			make_folders(candidates[i]);
			if (!stat(candidates[i], &st) && S_ISDIR(st.st_mode)) {
				found = candidates[i];
				continue;
			}
			fprintf(stderr, "Could not use temp dir %s: %s\n",
				candidates[i], strerror(errno));
		}
		free(candidates[i]);
	}
	return found;
}

/* What came over the network is kept: it cannot be fetched again. */
static void save(const struct profile *p)
{
	char *folder = find_folder();
	struct buf prefix = { 0 };
	if (!folder) {
		fprintf(stderr, "Could not save profile: no folder\n");
		return;
	}
	buf_append_str(&prefix, "pprof.");
	const char *file =
		p->n_mappings ? profile_str(p, p->mappings[0].filename) : "";
	if (*file) {
		gopath_base(file, &prefix);
		buf_append_char(&prefix, '.');
	}
	for (size_t i = 0; i < p->n_sample_types; i++)
		buf_printf(&prefix, "%s.",
			   profile_str(p, p->sample_types[i].type));
	char *path;
	struct err e = { "" };
	int fd = temp_create(folder, buf_str(&prefix), ".pb.gz", &path);
	int rc = fd < 0 ? ERR_IO : 0;
	if (rc) {
		err_set(&e, rc, "%s", strerror(errno));
	} else {
		const struct sink sink = sink_fd(&fd);
		rc = profile_encode(p, PROFILE_GZIP, &sink, &e);
		if (close(fd) && !rc)
			rc = err_set(&e, ERR_IO, "%s", strerror(errno));
	}
	if (rc)
		fprintf(stderr, "Could not save profile: %s\n", e.text);
	else
		fprintf(stderr, "Saved profile in %s\n", path);
	free(path);
	free(folder);
	buf_free(&prefix);
}

static int subtract_base(struct profile **p, struct profile *base,
			 const struct reader_source *s, struct err *e)
{
	const struct combine_base options = { .mark = s->is_diff,
					      .normalize = s->normalize };
	struct profile *whole = *p;
	*p = NULL;
	return combine_subtract(whole, base, &options, p, e);
}

static int make_profile(struct origin *origins, size_t n,
			const struct reader_source *s,
			struct profile **ret_profile, struct profile **ret_base,
			struct err *e)
{
	struct profile *p = NULL, *base = NULL;
	bool remote = false;
	const char nul_byte = hide_nuls(origins, n);
	for (size_t i = 0; i < n; i++)
		remote |= origins[i].url && origins[i].profile;
	int rc = combine(origins, n, false, s, &p, e);
	if (!rc)
		rc = combine(origins, n, true, s, &base, e);
	if (!rc && base && ret_base) {
		rc = symbolize(&base, origins, n, s->symbolize, e);
		if (!rc && s->normalize)
			rc = profile_normalize(p, base, e);
	} else if (!rc && base) {
		rc = subtract_base(&p, base, s, e);
		base = NULL;
	}
	if (!rc)
		rc = symbolize(&p, origins, n, s->symbolize, e);
	if (!rc && *s->comment &&
	    profile_add_comment(p, s->comment) == PROFILE_NONE)
		die("out of memory");
	if (rc) {
		profile_free(p);
		profile_free(base);
		return rc;
	}
	profile_set_nul_byte(p, nul_byte);
	if (base)
		profile_set_nul_byte(base, nul_byte);
	if (remote)
		save(p);
	*ret_profile = p;
	if (ret_base)
		*ret_base = base;
	return 0;
}

int fetch_profiles(const struct reader_source *s, struct profile **ret_profile,
		   struct profile **ret_base, struct err *e)
{
	const size_t n = s->n_sources + (*s->base != '\0');
	struct origin *origins = xcalloc(n, sizeof(*origins));
	for (size_t i = 0; i < n; i++) {
		origins[i].is_base = i == s->n_sources;
		origins[i].name = origins[i].is_base ? s->base : s->sources[i];
	}
	read_all(origins, n, s);
	const int rc = make_profile(origins, n, s, ret_profile, ret_base, e);
	for (size_t i = 0; i < n; i++) {
		free(origins[i].url);
		free(origins[i].socket);
	}
	free(origins);
	return rc;
}
