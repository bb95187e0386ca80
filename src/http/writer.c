/* writer.c - see writer.h. */
#include "http/writer.h"

#include "base/err.h"
#include "http/request.h"
#include "http/thread.h"

#include <stdlib.h>

struct http_writer {
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct http_request *first, **last;
	bool stopping;
};

static struct http_request *writer_next(struct http_writer *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->stopping)
		pthread_cond_wait(&w->changed, &w->lock);
	struct http_request *r = w->first;
	if (r) {
		w->first = r->next;
		if (!w->first)
			w->last = &w->first;
		r->next = NULL;
	}
	pthread_mutex_unlock(&w->lock);
	return r;
}

static void *writer_run(void *arg)
{
	struct http_writer *w = arg;
	struct http_request *r;
	while ((r = writer_next(w))) {
		r->work(r);
		http_resume(r);
	}
	return NULL;
}

int http_writer_start(struct http_writer **ret_writer)
{
	struct http_writer *w = calloc(1, sizeof(*w));
	if (!w)
		return ERR_NOMEM;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->last = &w->first;
	if (http_thread_start(&w->thread, "pprof-writer", writer_run, w)) {
		free(w);
		return ERR_NOMEM;
	}
	*ret_writer = w;
	return 0;
}

void http_writer_add(struct http_writer *w, struct http_request *r)
{
	pthread_mutex_lock(&w->lock);
	r->next = NULL;
	*w->last = r;
	w->last = &r->next;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

void http_writer_stop(struct http_writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
