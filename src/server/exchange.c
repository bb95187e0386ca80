/*
 * exchange.c - see exchange.h.
 *
 * A request belongs to the daemon's thread; while its connection is suspended
 * it belongs to the worker that makes its answer, and to nobody else.
 */
#include "server/exchange.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "http/pprof_http.h"
#include "pprof/pprof.h"
#include "server/pool.h"
#include "server/routes.h"
#include "server/server.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 1 << 20 };

struct exchange {
	struct pool_task task; /* first: a task is cast back */
	struct server *server;
	struct MHD_Connection *connection;
	const struct route *route; /* NULL: no such path */
	void *pprof;		   /* libpprof-http's, when it is its path */
	bool is_pprof;
	bool is_delete;
	bool begun; /* the head has been looked at */
	bool ready; /* the answer is made */
	size_t body_len;
	int64_t started_ns;
	struct param_value values[PARAMS_MAX];

	unsigned status;
	const char *type, *policy, *header, *header_value;
	struct buf body;
};

/* ---- answers ---- */

/* One line, keys sorted.  Takes over json, which may be NULL. */
static void answer_json(struct exchange *x, unsigned status, json_t *json)
{
	char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT |
					      JSON_REAL_PRECISION(15));
	json_decref(json);
	x->ready = true;
	x->status = text ? status : 500;
	x->type = "application/json";
	x->policy = NULL;
	buf_clear(&x->body);
	buf_append_str(&x->body, text ? text : "{\"error\":\"out of memory\"}");
	buf_append_char(&x->body, '\n');
	free(text);
}

static void answer_error(struct exchange *x, unsigned status, const char *text)
{
	answer_json(x, status, json_pack("{s:s}", "error", text));
	if (status == 503) {
		x->header = "Retry-After";
		x->header_value = "1";
	}
}

/* Of a page: what it may load, and who may see that it was looked at. */
static void add_policy(struct MHD_Response *response, const char *policy)
{
	static const char *const headers[][2] = {
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cache-Control", "no-store" },
	};
	MHD_add_response_header(response, "Content-Security-Policy", policy);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
}

static enum MHD_Result send_answer(struct exchange *x)
{
	struct server *s = x->server;
	struct buf *b = &x->body;
	if (b->failed)
		answer_error(x, 500, "out of memory");
	struct MHD_Response *response = MHD_create_response_from_buffer(
		b->len, b->data,
		b->len ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	*b = (struct buf){ 0 };
	MHD_add_response_header(response, "Content-Type", x->type);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (x->policy)
		add_policy(response, x->policy);
	if (x->header)
		MHD_add_response_header(response, x->header, x->header_value);
	pthread_mutex_lock(&s->lock);
	const bool last = s->stopping;
	pthread_mutex_unlock(&s->lock);
	if (last)
		MHD_add_response_header(response, "Connection", "close");
	stats_add(&s->stats, route_index(x->route), x->status,
		  clock_monotonic_ns() - x->started_ns);
	const enum MHD_Result rc =
		MHD_queue_response(x->connection, x->status, response);
	MHD_destroy_response(response);
	return rc;
}

/* ---- making them ---- */

static void run_route(struct exchange *x)
{
	const struct route *route = x->route;
	if (route->text) {
		buf_clear(&x->body);
		struct route_text text = { 0 };
		x->status = route->text(x->server, &x->body, &text);
		x->type = text.type;
		x->policy = text.policy;
		x->ready = true;
		return;
	}
	json_t *answer = json_object();
	unsigned (*const make)(struct server *, const struct param_value *,
			       json_t *) =
		x->is_delete ? route->remove : route->answer;
	const unsigned status =
		answer ? make(x->server, x->values, answer) : 500;
	answer_json(x, status, answer);
	if (status == 503) {
		x->header = "Retry-After";
		x->header_value = "1";
	}
}

static void resume(struct exchange *x)
{
	struct server *s = x->server;
	MHD_resume_connection(x->connection);
	/* x may be gone by now.  Only here may server_stop find that nobody is
	 * suspended, since it stops the daemon then. */
	pthread_mutex_lock(&s->lock);
	s->suspended--;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void run_task(struct pool_task *task)
{
	struct exchange *x = (struct exchange *)task;
	const bool labelled = x->route->where == ROUTE_WORKER;
	const struct pprof_label label = { "route", x->route->path };
	if (labelled)
		pprof_set_labels(&label, 1);
	run_route(x);
	if (labelled)
		pprof_set_labels(NULL, 0);
	resume(x);
}

/* Hand it to a thread.  Returns: false, with the answer made, when it cannot.
 */
static bool hand_over(struct exchange *x)
{
	struct server *s = x->server;
	pthread_mutex_lock(&s->lock);
	const bool draining = s->draining;
	if (!draining)
		s->suspended++;
	pthread_mutex_unlock(&s->lock);
	if (draining) {
		answer_error(x, 503, "shutting down");
		return false;
	}
	x->task.run = run_task;
	struct pool *pool =
		x->route->where == ROUTE_WORKER ? s->workers : s->monitors;
	/* Before it can be resumed. */
	MHD_suspend_connection(x->connection);
	if (pool_submit(pool, &x->task)) {
		answer_error(x, 503, "too many requests wait already");
		resume(x);
	}
	return true;
}

static bool read_params(struct exchange *x)
{
	const struct param *params = x->route->params;
	for (size_t i = 0; params[i].name; i++) {
		const char *text = MHD_lookup_connection_value(
			x->connection, MHD_GET_ARGUMENT_KIND, params[i].name);
		json_t *error = NULL;
		if (param_parse(&params[i], text, &x->values[i], &error)) {
			answer_json(x, 400, error);
			return false;
		}
	}
	return true;
}

static void answer_unknown(struct exchange *x)
{
	answer_json(x, 404,
		    json_pack("{s:s, s:o}", "error", "no such path",
			      "endpoints", route_endpoints(x->server)));
}

/* ---- the daemon's calls ---- */

static struct exchange *exchange_new(struct server *s,
				     struct MHD_Connection *connection)
{
	struct exchange *x = calloc(1, sizeof(*x));
	if (!x)
		return NULL;
	x->server = s;
	x->connection = connection;
	x->started_ns = clock_monotonic_ns();
	pthread_mutex_lock(&s->lock);
	s->exchanges++;
	pthread_mutex_unlock(&s->lock);
	return x;
}

static bool method_is_known(const struct route *route, const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
	       strcmp(method, "POST") == 0 ||
	       (route->remove && strcmp(method, "DELETE") == 0);
}

/* The head is here: what can be refused is refused now, and said when the
 * body has been read. */
static void begin(struct exchange *x, const char *url, const char *method)
{
	x->begun = true;
	x->route = route_find(url);
	if (!x->route) {
		answer_unknown(x);
	} else if (!method_is_known(x->route, method)) {
		answer_error(x, 405, "method not allowed");
		x->header = "Allow";
		x->header_value = x->route->remove ? "GET, HEAD, POST, DELETE"
						   : "GET, HEAD, POST";
	} else {
		x->is_delete = strcmp(method, "DELETE") == 0;
		read_params(x);
	}
}

/* No route reads a body; one that is not absurd is dropped. */
static enum MHD_Result drop_body(struct exchange *x, size_t *size)
{
	x->body_len += *size;
	*size = 0;
	if (x->body_len > BODY_MAX && x->status != 413)
		answer_error(x, 413, "the body is longer than 1 MiB");
	/* Nobody reads on for ever. */
	return x->body_len > 16 * (size_t)BODY_MAX ? MHD_NO : MHD_YES;
}

enum MHD_Result exchange_handle(void *arg, struct MHD_Connection *connection,
				const char *url, const char *method,
				const char *version, const char *upload_data,
				size_t *upload_data_size, void **state)
{
	(void)version;
	struct server *s = arg;
	struct exchange *x = *state;
	if (!x) {
		x = *state = exchange_new(s, connection);
		if (!x)
			return MHD_NO;
		x->is_pprof = !s->pprof_apart && pprof_http_wants(url);
	}
	if (x->is_pprof)
		return (enum MHD_Result)pprof_http_handle(
			s->pprof, connection, url, method, upload_data,
			upload_data_size, &x->pprof);
	if (!x->begun) {
		begin(x, url, method);
		return MHD_YES;
	}
	if (*upload_data_size)
		return drop_body(x, upload_data_size);
	if (!x->ready && x->route->where == ROUTE_HERE)
		run_route(x);
	if (!x->ready && hand_over(x))
		return MHD_YES;
	return send_answer(x);
}

void exchange_completed(void *arg, struct MHD_Connection *connection,
			void **state, enum MHD_RequestTerminationCode how)
{
	(void)connection, (void)how;
	struct server *s = arg;
	struct exchange *x = *state;
	if (!x)
		return;
	pprof_http_completed(x->pprof);
	buf_free(&x->body);
	free(x);
	*state = NULL;
	pthread_mutex_lock(&s->lock);
	s->exchanges--;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
}
