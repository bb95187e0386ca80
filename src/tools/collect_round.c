/* collect_round.c - see collect_round.h. */
#include "tools/collect_round.h"

#include "base/clock.h"
#include "profile/decode.h"
#include "profile/inflate.h"
#include "tools/collect_fetch.h"
#include "tools/die.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct state {
	const struct collect_options *o;
	struct collect_round round;
	char *token;
	int stop_fd;
	json_t *files, *errors;
	size_t kept, answered, attempted;
	int64_t bytes;
	bool stopped, unreachable, storage;
};

static void complain(const char *what, const char *text)
{
	fprintf(stderr, "proflab-collect: %s: %s\n", what, text);
}

static void note_error(struct state *s, const char *name, const char *text)
{
	complain(name, text);
	json_array_append_new(s->errors, json_pack("{s:s, s:s}", "type", name,
						   "error", text));
}

static void note_file(struct state *s, const char *name, const char *file,
		      int64_t bytes, const struct profile *p)
{
	json_t *row = json_pack("{s:s, s:s, s:I}", "type", name, "file", file,
				"bytes", (json_int_t)bytes);
	if (p) {
		json_object_set_new(row, "samples",
				    json_integer((json_int_t)p->n_samples));
		json_object_set_new(row, "seconds",
				    json_real((double)p->duration_nanos / 1e9));
	}
	json_array_append_new(s->files, row);
	s->kept++;
	s->bytes += bytes;
}

static int64_t size_of(int fd)
{
	struct stat st;
	return fstat(fd, &st) ? 0 : st.st_size;
}

static bool begins_as_gzip(const char *path)
{
	uint8_t magic[2] = { 0 };
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, magic, sizeof(magic));
	if (fd >= 0)
		close(fd);
	return n == 2 && inflate_is_gzip(magic, 2);
}

/*
 * Is it what it should be, whole?  *ret_profile where it is a profile.
 * Returns: the ending of its name, or NULL with text.
 */
static const char *check_part(const char *path, bool stats,
			      struct profile **ret_profile, struct err *e)
{
	json_error_t error;
	if (!stats) {
		if (profile_decode_file(path, NULL, ret_profile, e)) {
			err_prefix(e, ERR_FORMAT, "it is no whole profile");
			return NULL;
		}
		return begins_as_gzip(path) ? ".pb.gz" : ".pb";
	}
	json_t *root = json_load_file(path, 0, &error);
	if (!root) {
		err_set(e, ERR_FORMAT, "it is no whole JSON: %s", error.text);
		return NULL;
	}
	json_decref(root);
	return ".json";
}

static void keep_part(struct state *s, int fd, const char *name, bool stats)
{
	struct err e = { "" };
	struct profile *p = NULL;
	const int64_t bytes = size_of(fd);
	char *path = collect_round_path(&s->round, name);
	const char *end = check_part(path, stats, &p, &e);
	char *last = end ? xasprintf("%s%s", name, end) : NULL;
	if (!end) {
		collect_round_drop(&s->round, fd, name);
		note_error(s, name, e.text);
	} else if (collect_round_keep(&s->round, fd, name, last, &e)) {
		s->storage = true;
		note_error(s, name, e.text);
	} else {
		note_file(s, name, last, bytes, p);
	}
	profile_free(p);
	free(last);
	free(path);
}

static void capture(struct state *s, const char *name,
		    struct fetch_request *request, bool stats)
{
	struct err e = { "" };
	const int fd = collect_round_create(&s->round, name, &e);
	if (fd < 0) {
		s->storage = true;
		note_error(s, name, e.text);
		return;
	}
	request->fd = fd;
	request->stop_fd = s->stop_fd;
	s->attempted++;
	const enum fetch_result result = collect_fetch(s->o, request, &e);
	s->answered += request->status != 0;
	if (result == FETCH_OK) {
		keep_part(s, fd, name, stats);
		return;
	}
	collect_round_drop(&s->round, fd, name);
	s->stopped |= result == FETCH_STOPPED;
	s->storage |= result == FETCH_STORAGE;
	s->unreachable |= result == FETCH_UNREACHABLE;
	/* Not every program has /stats; that is no failure. */
	if (result == FETCH_STOPPED || (stats && request->status == 404))
		return;
	note_error(s, name, e.text);
}

/* Nobody at home is asked no further; a full disk gets no more either. */
static bool is_over(const struct state *s)
{
	return s->stopped || s->unreachable || s->storage;
}

static void capture_all(struct state *s)
{
	const struct collect_options *o = s->o;
	if (o->stats) {
		struct fetch_request r = {
			.url = o->stats,
			.unix_socket = o->stats_apart ? NULL : o->unix_socket,
			.token = o->stats_apart ? NULL : s->token,
			.timeout_ns = o->timeout_ns,
		};
		capture(s, "stats", &r, true);
		/* Elsewhere than the profiles: it tells nothing of them. */
		s->unreachable &= !o->stats_apart;
	}
	for (size_t i = 0; i < o->n_types && !is_over(s); i++) {
		const struct collect_type *t = &o->types[i];
		char *url = xasprintf("%s%s", o->base, t->path);
		struct fetch_request r = {
			.url = url,
			.unix_socket = o->unix_socket,
			.token = s->token,
			.timeout_ns = o->timeout_ns +
				      (t->timed ? o->seconds * 1000000000 : 0),
		};
		capture(s, t->name, &r, false);
		free(url);
	}
}

/* The line of index.jsonl.  Owns: the caller. */
static char *describe(const struct state *s, int64_t began_ns)
{
	char when[64];
	const time_t t = (time_t)(began_ns / 1000000000);
	struct tm tm;
	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_t *root = json_pack(
		"{s:s, s:s, s:s, s:f, s:b, s:O, s:O}", "round", s->round.name,
		"time", when, "url",
		s->o->unix_socket ? s->o->unix_socket : s->o->base, "seconds",
		(double)(clock_realtime_ns() - began_ns) / 1e9, "interrupted",
		s->stopped, "files", s->files, "errors", s->errors);
	char *text =
		root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(6))
		     : NULL;
	json_decref(root);
	char *line = text ? xasprintf("%s\n", text) : NULL;
	free(text);
	if (!line)
		die("out of memory");
	return line;
}

/* newest: the round that was just published, or NULL. */
static void prune(const struct collect_options *o, struct collect_store *s,
		  const char *newest, bool *ret_failed)
{
	struct err e = { "" };
	const int n = collect_store_prune(s, newest, clock_realtime_ns(),
					  o->keep_age_ns, o->keep_bytes, &e);
	*ret_failed |= n < 0;
	if (n < 0)
		complain("removing old rounds", e.text);
	else if (n > 0 && !o->quiet)
		printf("removed %d old round%s\n", n, n == 1 ? "" : "s");
}

/*
 * Also after a round for which there was no room: what is to go by its age may
 * be what fills the disk, and would stay for ever.
 */
static void tidy(const struct collect_options *o, struct collect_store *s,
		 const char *newest, bool *ret_failed)
{
	struct err e = { "" };
	prune(o, s, newest, ret_failed);
	if (collect_store_index(s, &e)) {
		*ret_failed = true;
		complain("the index", e.text);
	}
}

/* Returns: was it published? */
static bool publish(struct state *s, int64_t began_ns)
{
	struct err e = { "" };
	char *line = describe(s, began_ns);
	const int rc = collect_round_publish(&s->round, line, &e);
	free(line);
	if (rc) {
		s->storage = true;
		complain("the round is given up", e.text);
		return false;
	}
	if (!s->o->quiet)
		printf("%s: %zu files, %.1f kB%s\n", s->round.name, s->kept,
		       (double)s->bytes / 1e3,
		       s->stopped ? ", then stopped" : "");
	return true;
}

static enum collect_status finish(struct state *s, struct collect_store *store,
				  int64_t began_ns)
{
	const bool failed = json_array_size(s->errors) > 0;
	const bool published = s->kept && publish(s, began_ns);
	if (!s->kept)
		collect_round_abandon(&s->round);
	if (published || s->storage)
		tidy(s->o, store, published ? s->round.name : NULL,
		     &s->storage);
	fflush(stdout);
	if (s->storage)
		return COLLECT_STORAGE;
	if (s->unreachable && !s->answered)
		return COLLECT_UNREACHABLE;
	return failed ? COLLECT_PARTIAL : COLLECT_OK;
}

enum collect_status collect_one_round(const struct collect_options *o,
				      struct collect_store *store, int stop_fd,
				      bool *ret_stopped)
{
	struct state s = { .o = o, .stop_fd = stop_fd };
	struct err e = { "" };
	const int64_t began_ns = clock_realtime_ns();
	enum collect_status status = COLLECT_USAGE;
	/* Read each time: tokens are changed under running programs. */
	if (o->token_file)
		s.token = collect_read_token(o->token_file, &e);
	if (o->token_file && !s.token) {
		fprintf(stderr, "proflab-collect: %s\n", e.text);
		return status;
	}
	if (collect_round_begin(&s.round, store, began_ns, &e)) {
		complain("a new round", e.text);
		status = COLLECT_STORAGE;
		tidy(o, store, NULL, &s.storage);
	} else {
		s.files = json_array();
		s.errors = json_array();
		capture_all(&s);
		status = finish(&s, store, began_ns);
		json_decref(s.files);
		json_decref(s.errors);
	}
	*ret_stopped = s.stopped;
	free(s.token);
	return status;
}
