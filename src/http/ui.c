/* ui.c - see ui.h. */
#include "http/ui.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "http/ui_store.h"
#include "pprof/pprof.h"
#include "profile/decode.h"
#include "profile/profile.h"
#include "web/webjson.h"
#include "web/web.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

enum { HEADERS_MAX = 8 };
/* Of one profile in memory while a view of it is made. */
static const size_t model_max = 256 << 20;

struct http_ui {
	struct ui_store store;
	struct web_page page;
	struct http_header headers[HEADERS_MAX];
	size_t n_headers;
};

const char http_ui_index_line[] =
	"<a href=\"ui/\">profile page</a>: take profiles, see them as flame "
	"graphs, compare them<br>\n";

bool http_ui_wants(const char *path)
{
	return strncmp(path, "ui/", 3) == 0 || strcmp(path, "ui") == 0;
}

/* ---- the state ----------------------------------------------------------- */

/* Thread: the writer's.  NULL: no memory, and the reply says so. */
static struct http_ui *get_ui(struct http_request *r)
{
	struct pprof_http *h = r->http;
	if (h->ui)
		return h->ui;
	struct http_ui *ui = calloc(1, sizeof(*ui));
	if (!ui || web_page(true, &ui->page)) {
		free(ui);
		http_reply_error(&r->reply, 500, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < web_n_headers && i < HEADERS_MAX - 1; i++)
		ui->headers[ui->n_headers++] =
			(struct http_header){ web_headers[i].name,
					      web_headers[i].value };
	ui->headers[ui->n_headers++] =
		(struct http_header){ "Content-Security-Policy",
				      buf_str(&ui->page.policy) };
	return h->ui = ui;
}

void http_ui_free(struct http_ui *ui)
{
	if (!ui)
		return;
	ui_store_free(&ui->store);
	web_page_free(&ui->page);
	free(ui);
}

static void begin_reply(struct http_request *r, const struct http_ui *ui,
			unsigned status, const char *type)
{
	http_reply_begin(&r->reply, status, type);
	r->reply.nosniff = false; /* among the headers */
	r->reply.headers = ui->headers;
	r->reply.n_headers = ui->n_headers;
}

/* ---- parameters ---------------------------------------------------------- */

static uint64_t read_id(struct http_request *r, const char *key)
{
	const int64_t id = http_param_int(r, key);
	return id > 0 ? (uint64_t)id : 0;
}

/* Texts of views may be longer than those of routes. */
static const char *view_parameter(void *arg, const char *key)
{
	struct http_request *r = arg;
	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND,
					   key);
}

static const struct ui_kept *
find_kept(struct http_request *r, const struct http_ui *ui, const char *key)
{
	const struct ui_kept *k = ui_store_find(&ui->store, read_id(r, key));
	if (!k)
		http_reply_error(&r->reply, 404,
				 "the profile that %s names is not kept (any "
				 "more): the page keeps the last %d",
				 key, UI_KEPT_MAX);
	return k;
}

/* ---- what can be taken --------------------------------------------------- */

static void write_kind(struct webjson *j, const char *name, const char *text,
		       bool timed, bool delta)
{
	webjson_open_object(j, NULL);
	webjson_text(j, "name", name);
	webjson_text(j, "description", text ? text : "");
	webjson_bool(j, "timed", timed);
	webjson_bool(j, "delta", delta);
	webjson_close(j);
}

static void write_kinds(struct webjson *j)
{
	const struct http_route *route;
	const struct pprof_profile *p;
	webjson_open_array(j, "kinds");
	write_kind(j, "profile",
		   "CPU: what runs on the processor, and how much", true,
		   false);
	for (size_t i = 0; (route = http_route_at(i)); i++)
		if (strcmp(route->path, "wall") == 0)
			write_kind(j, route->path, route->description, true,
				   false);
	for (size_t i = 0; (p = pprof_profile_at(i)); i++)
		write_kind(j, pprof_profile_name(p),
			   pprof_profile_description(p), false,
			   pprof_profile_has_delta(p));
	webjson_close(j);
}

static void write_kept(struct webjson *j, const struct ui_store *s)
{
	webjson_open_array(j, "kept");
	for (size_t i = 0; i < UI_KEPT_MAX && s->rows[i].id; i++) {
		const struct ui_kept *k = &s->rows[i];
		webjson_open_object(j, NULL);
		webjson_int(j, "id", (int64_t)k->id);
		webjson_text(j, "kind", k->kind);
		webjson_int(j, "time_ms", k->time_ms);
		webjson_int(j, "seconds", k->seconds);
		webjson_int(j, "bytes", (int64_t)k->data.len);
		webjson_close(j);
	}
	webjson_close(j);
	webjson_int(j, "kept_max", UI_KEPT_MAX);
}

static void send_kinds(struct http_request *r, struct http_ui *ui)
{
	struct webjson j = { 0 };
	begin_reply(r, ui, 200, "application/json");
	webjson_open_object(&j, NULL);
	webjson_int(&j, "max_seconds", r->http->options.max_seconds);
	write_kinds(&j);
	write_kept(&j, &ui->store);
	webjson_finish(&j, &r->reply.body);
}

/* ---- taking -------------------------------------------------------------- */

/* After the route's own work, in its place: the reply becomes a kept row. */
static void keep_result(struct http_request *r)
{
	r->then(r);
	if (r->reply.status != 200)
		return;
	struct buf data = r->reply.body;
	r->reply.body = (struct buf){ .cap = data.cap };
	struct http_ui *ui = get_ui(r);
	if (!ui || data.failed) {
		buf_free(&data);
		http_reply_error(&r->reply, 500, "out of memory");
		return;
	}
	const struct ui_kept *k =
		ui_store_add(&ui->store, r->name, clock_realtime_ns() / 1000000,
			     r->window.length_ns / 1000000000, &data);
	if (!k) {
		http_reply_error(&r->reply, 413,
				 "the profile is too large to be kept here: "
				 "use proflab-pprof -http=: URL");
		return;
	}
	begin_reply(r, ui, 200, "application/json");
	struct webjson j = { 0 };
	webjson_open_object(&j, NULL);
	webjson_int(&j, "id", (int64_t)k->id);
	webjson_text(&j, "kind", k->kind);
	webjson_finish(&j, &r->reply.body);
}

/* As the route of that kind does it, with its limits and its words. */
static enum http_next take(struct http_request *r)
{
	char kind[HTTP_PARAM];
	http_param(r, "kind", kind);
	const struct http_route *route = http_route_find(kind);
	const bool timed =
		strcmp(kind, "profile") == 0 || strcmp(kind, "wall") == 0;
	if (!timed && !pprof_lookup(kind)) {
		http_reply_error(&r->reply, 404, "Unknown profile");
		return HTTP_REPLY;
	}
	if (http_param_int(r, "debug")) {
		http_reply_error(&r->reply, 400,
				 "a profile as text cannot be shown here");
		return HTTP_REPLY;
	}
	snprintf(r->name, sizeof(r->name), "%s", kind);
	r->route = route;
	const enum http_next next = route->run(r);
	if (next != HTTP_REPLY) {
		r->then = r->work;
		r->work = keep_result;
	}
	return next;
}

/* ---- views --------------------------------------------------------------- */

static void describe_kept(const struct ui_kept *k, char *text, size_t size)
{
	const time_t t = (time_t)(k->time_ms / 1000);
	struct tm tm;
	char when[32] = "";
	if (gmtime_r(&t, &tm))
		strftime(when, sizeof(when), "%H:%M:%S UTC", &tm);
	snprintf(text, size, "%s of %s", k->kind, when);
}

/* The rate that a kind of profile hangs on: -1 not possible, 0 off. */
static int64_t rate_of(const char *kind)
{
	if (strcmp(kind, "mutex") == 0)
		return pprof_block_profile_rate() < 0
			       ? -1
			       : pprof_set_mutex_profile_fraction(-1);
	if (strcmp(kind, "block") == 0)
		return pprof_block_profile_rate();
	if (strcmp(kind, "heap") == 0 || strcmp(kind, "allocs") == 0)
		return pprof_mem_profile_rate();
	return 1;
}

/* Here it is known which of the reasons for an empty profile holds. */
static void explain(const char *kind, struct web_options *o)
{
	const int64_t rate = rate_of(kind);
	const bool lock =
		strcmp(kind, "mutex") == 0 || strcmp(kind, "block") == 0;
	if (rate < 0) {
		o->why_empty = lock ? "This program's lock functions are not "
				      "hooked."
				    : "This program's malloc is not hooked.";
		o->todo_empty = "Link it with libpprof's shims, or start it "
				"with LD_PRELOAD=libpprof-preload.so.";
	} else if (rate == 0) {
		o->why_empty = "This profile is off in this process.";
	} else if (lock) {
		o->why_empty = "It is on, and no thread had to wait long "
			       "enough for another to be recorded.";
		o->todo_empty = "Put the program under load and take it again.";
	}
}

static int decode_kept(struct http_request *r, const struct ui_kept *k,
		       struct profile **ret_profile)
{
	const struct profile_decode_options o = { .max_inflated = model_max,
						  .max_memory = model_max };
	struct err e = { "" };
	const int rc =
		profile_decode(k->data.data, k->data.len, &o, ret_profile, &e);
	if (rc)
		http_reply_error(&r->reply, rc == ERR_LIMIT ? 413 : 500,
				 "the profile cannot be shown here: %s",
				 e.text);
	return rc;
}

static void answer_view(struct http_request *r, const struct http_ui *ui,
			struct web_subject *s)
{
	const struct web_request request = { r->name + strlen("ui/api/"),
					     view_parameter, r };
	struct web_reply reply;
	web_answer(s, &request, &reply);
	begin_reply(r, ui, reply.status, reply.content_type);
	buf_free(&r->reply.body);
	r->reply.body = reply.body;
}

static void send_view(struct http_request *r, struct http_ui *ui)
{
	char name[128], base_name[128] = "";
	const bool has_base = read_id(r, "base") != 0;
	const struct ui_kept *k = find_kept(r, ui, "p");
	const struct ui_kept *kb =
		k && has_base ? find_kept(r, ui, "base") : NULL;
	struct profile *p, *base = NULL;
	if (!k || (has_base && !kb) || decode_kept(r, k, &p))
		return;
	if (kb && decode_kept(r, kb, &base)) {
		profile_free(p);
		return;
	}
	describe_kept(k, name, sizeof(name));
	if (kb)
		describe_kept(kb, base_name, sizeof(base_name));
	struct web_options o = {
		.report = REPORT_OPTIONS_DEFAULT,
		.name = name,
		.base_name = base_name,
		.no_graph = "A process that is being profiled does not start "
			    "Graphviz's dot. Download the profile: "
			    "proflab-pprof -http=: FILE draws it.",
	};
	explain(k->kind, &o);
	struct web_subject *s;
	struct err e = { "" };
	if (web_subject_new(p, base, &o, &s, &e)) {
		http_reply_error(&r->reply, 400, "%s", e.text);
		return;
	}
	answer_view(r, ui, s);
	web_subject_free(s);
}

static void send_download(struct http_request *r, struct http_ui *ui)
{
	const struct ui_kept *k = find_kept(r, ui, "p");
	if (!k)
		return;
	begin_reply(r, ui, 200, "application/octet-stream");
	snprintf(r->reply.filename, sizeof(r->reply.filename), "profile.pb.gz");
	buf_append(&r->reply.body, k->data.data, k->data.len);
}

static void send_page(struct http_request *r, struct http_ui *ui)
{
	begin_reply(r, ui, 200, "text/html; charset=utf-8");
	buf_append(&r->reply.body, buf_str(&ui->page.html), ui->page.html.len);
}

static void forget(struct http_request *r, struct http_ui *ui)
{
	ui_store_drop(&ui->store, read_id(r, "p"));
	send_kinds(r, ui);
}

static const struct {
	const char *path; /* below ui/ */
	bool post;
	void (*send)(struct http_request *r, struct http_ui *ui);
} pages[] = {
	{ "", false, send_page },
	{ "api/kinds", false, send_kinds },
	{ "download", false, send_download },
	{ "forget", true, forget },
};

/* Thread: the writer's. */
static void work(struct http_request *r)
{
	struct http_ui *ui = get_ui(r);
	const char *path = r->name + strlen("ui/");
	if (!ui)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (strcmp(pages[i].path, path) == 0 &&
		    pages[i].post == r->post) {
			pages[i].send(r, ui);
			return;
		}
	if (strncmp(path, "api/", 4) == 0 && !r->post)
		send_view(r, ui);
	else
		http_reply_error(&r->reply, 404, "there is no such page");
}

/* ---- who may ask --------------------------------------------------------- */

static bool is_loopback(int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	if (fd < 0 || getsockname(fd, (struct sockaddr *)&a, &len))
		return false;
	if (a.ss_family == AF_INET)
		return ntohl(((struct sockaddr_in *)&a)->sin_addr.s_addr) >>
			       24 ==
		       127;
	const struct in6_addr *v6 = &((struct sockaddr_in6 *)&a)->sin6_addr;
	return a.ss_family == AF_INET6 &&
	       (IN6_IS_ADDR_LOOPBACK(v6) ||
		(IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127));
}

/*
 * A page elsewhere may give its own host name the address 127.0.0.1, and then
 * read what a loopback server says (DNS rebinding).  It cannot know a token,
 * so where one is asked for, any name will do.
 */
static bool is_rebound(struct http_request *r)
{
	static const char *const names[] = { "localhost", "127.0.0.1",
					     "[::1]" };
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const char *host = MHD_lookup_connection_value(r->connection,
						       MHD_HEADER_KIND, "Host");
	if (r->http->options.token_file || !info ||
	    !is_loopback(info->connect_fd))
		return false;
	for (size_t i = 0; host && i < ARRAY_SIZE(names); i++) {
		const size_t n = strlen(names[i]);
		if (strncasecmp(host, names[i], n) == 0 &&
		    (host[n] == '\0' || host[n] == ':'))
			return false;
	}
	return true;
}

enum http_next http_ui(struct http_request *r)
{
	if (is_rebound(r) || http_from_another_origin(r)) {
		http_reply_error(&r->reply, 403,
				 "the profile page answers on this host under "
				 "its own name alone");
		return HTTP_REPLY;
	}
	if (strcmp(r->name, "ui") == 0) {
		http_reply_begin(&r->reply, 301, "text/plain; charset=utf-8");
		r->reply.header = "Location";
		r->reply.header_value = "/debug/pprof/ui/";
		return HTTP_REPLY;
	}
	if (strcmp(r->name, "ui/take") == 0 && r->post)
		return take(r);
	r->work = work;
	return HTTP_WRITE;
}
