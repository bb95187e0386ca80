/* reply.c - answers, as Go's net/http/pprof gives them. */
#include "base/buf.h"
#include "http/request.h"
#include "pprof/pprof.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>

void http_reply_begin(struct http_reply *reply, unsigned status,
		      const char *content_type)
{
	buf_clear(&reply->body);
	reply->status = status;
	reply->content_type = content_type;
	reply->header = reply->header_value = NULL;
	reply->headers = NULL;
	reply->n_headers = 0;
	reply->filename[0] = '\0';
	reply->nosniff = true;
	reply->error = false;
}

void http_reply_error(struct http_reply *reply, unsigned status,
		      const char *format, ...)
{
	http_reply_begin(reply, status, "text/plain; charset=utf-8");
	reply->error = true;
	va_list ap;
	va_start(ap, format);
	buf_vprintf(&reply->body, format, ap);
	va_end(ap);
	buf_append_char(&reply->body, '\n');
}

static int body_write(void *arg, const void *data, size_t len)
{
	return buf_append(arg, data, len);
}

struct pprof_writer http_body_writer(struct http_request *r)
{
	return (struct pprof_writer){ .write = body_write,
				      .arg = &r->reply.body };
}

static void add_headers(struct MHD_Response *response,
			const struct http_reply *reply)
{
	if (reply->content_type)
		MHD_add_response_header(response, "Content-Type",
					reply->content_type);
	if (reply->nosniff)
		MHD_add_response_header(response, "X-Content-Type-Options",
					"nosniff");
	if (reply->error)
		MHD_add_response_header(response, "X-Go-Pprof", "1");
	if (reply->filename[0]) {
		char value[160];
		snprintf(value, sizeof(value), "attachment; filename=\"%s\"",
			 reply->filename);
		MHD_add_response_header(response, "Content-Disposition", value);
	}
	for (size_t i = 0; i < reply->n_headers; i++)
		MHD_add_response_header(response, reply->headers[i].name,
					reply->headers[i].value);
	if (reply->header)
		MHD_add_response_header(response, reply->header,
					reply->header_value);
}

int http_reply_queue(struct http_request *r)
{
	struct http_reply *reply = &r->reply;
	struct buf *body = &reply->body;
	if (body->failed)
		http_reply_error(reply, 500, "the answer does not fit");
	/* The body's memory goes to the response, which frees it. */
	struct MHD_Response *response = MHD_create_response_from_buffer(
		body->len, body->data,
		body->len ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	if (body->len)
		*body = (struct buf){ .cap = body->cap };
	add_headers(response, reply);
	if (reply->status >= 400)
		atomic_fetch_add_explicit(&r->http->errors, 1,
					  memory_order_relaxed);
	const int rc =
		MHD_queue_response(r->connection, reply->status, response);
	MHD_destroy_response(response);
	return rc;
}
