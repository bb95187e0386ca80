/* client.c - see client.h. */
#include "load/client.h"

#include "base/clock.h"
#include "base/err.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MS		 INT64_C(1000000)
#define FIRST_PAUSE_NS	 (100 * MS)
#define LONGEST_PAUSE_NS (2000 * MS)
#define LONGEST_POLL_NS	 (1000 * MS)

enum { URL_MAX = 2048 };

/* One connection: a request under way, or a pause, or neither. */
struct slot {
	struct client *client;
	CURL *easy; /* owned */
	bool busy;
	int64_t due_ns; /* the request's; latency counts from here */
	uint64_t bytes;
	int64_t pause_ns; /* the last one, 0 after a success */
	int64_t ready_ns; /* not before */
};

struct client {
	struct client_config config;
	CURLM *multi;		   /* owned */
	struct curl_slist *header; /* owned */
	int timer_fd;
	struct slot *slots; /* owned; as everything but results: the thread's */
	size_t busy;
	_Atomic bool abort; /* relaxed: a wish, that orders nothing */

	pthread_mutex_t lock; /* guards results */
	struct results results;
};

/* ---- one request ---- */

static size_t count_body(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	struct slot *slot = arg;
	slot->bytes += size * n;
	return size * n;
}

/* What all requests have in common.  Returns: 0 or ERR_NOMEM. */
static int set_up_easy(CURL *easy, struct curl_slist *header,
		       int64_t timeout_ns)
{
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Measured is the server that was named, never a proxy before it. */
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
				      "http,https");
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_USERAGENT, "proflab-load");
	if (!rc && header)
		rc = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, header);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
				      (long)(timeout_ns / MS));
	return rc ? ERR_NOMEM : 0;
}

static int make_header_list(const char *const *headers, size_t count,
			    struct curl_slist **ret_list)
{
	struct curl_slist *list = NULL;
	for (size_t i = 0; i < count; i++) {
		struct curl_slist *longer = curl_slist_append(list, headers[i]);
		if (!longer) {
			curl_slist_free_all(list);
			return ERR_NOMEM;
		}
		list = longer;
	}
	*ret_list = list;
	return 0;
}

static int failure_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return FAILURE_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return FAILURE_TIMEOUT;
	case CURLE_PARTIAL_FILE:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_HTTP2:
		return FAILURE_RESPONSE;
	case CURLE_URL_MALFORMAT:
	case CURLE_OUT_OF_MEMORY:
		return FAILURE_REQUEST;
	default:
		return FAILURE_NETWORK;
	}
}

static void add_failure(struct client *c, int type)
{
	pthread_mutex_lock(&c->lock);
	results_add_failure(&c->results, type);
	pthread_mutex_unlock(&c->lock);
}

/* Nobody there: twice as long as last time. */
static void pause_slot(struct slot *slot, int64_t now)
{
	slot->pause_ns = slot->pause_ns ? 2 * slot->pause_ns : FIRST_PAUSE_NS;
	if (slot->pause_ns > LONGEST_PAUSE_NS)
		slot->pause_ns = LONGEST_PAUSE_NS;
	slot->ready_ns = now + slot->pause_ns;
}

static void send_request(struct slot *slot, uint64_t index, int64_t due_ns)
{
	struct client *c = slot->client;
	char url[URL_MAX + PLAN_TARGET];
	char target[PLAN_TARGET];
	snprintf(url, sizeof(url), "%s%s", c->config.url,
		 plan_target(c->config.plan, index, target));
	slot->due_ns = due_ns;
	slot->bytes = 0;
	if (curl_easy_setopt(slot->easy, CURLOPT_URL, url) ||
	    curl_multi_add_handle(c->multi, slot->easy)) {
		add_failure(c, FAILURE_REQUEST);
		pause_slot(slot, clock_monotonic_ns());
		return;
	}
	slot->busy = true;
	c->busy++;
}

static void finish_request(struct slot *slot, CURLcode code)
{
	struct client *c = slot->client;
	const int64_t now = clock_monotonic_ns();
	long status = 0;
	curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(c->multi, slot->easy);
	slot->busy = false;
	c->busy--;
	if (code) {
		const int type = failure_of(code);
		add_failure(c, type);
		if (type == FAILURE_CONNECT || type == FAILURE_NETWORK)
			pause_slot(slot, now);
		return;
	}
	slot->pause_ns = 0;
	if (status < 200 || status > 299) {
		add_failure(c, (int)status);
		return;
	}
	pthread_mutex_lock(&c->lock);
	results_add_success(&c->results, now - slot->due_ns, slot->bytes);
	pthread_mutex_unlock(&c->lock);
}

/* ---- the thread ---- */

/*
 * Send what is due on the connections that are free.
 * *ret_next_ns: when there may be something to do again; INT64_MAX when only
 * an answer can bring it.
 * Returns: false once the schedule is over.
 */
static bool send_due(struct client *c, int64_t now, int64_t *ret_next_ns)
{
	int64_t next = INT64_MAX;
	for (size_t i = 0; i < c->config.connections; i++) {
		struct slot *slot = &c->slots[i];
		if (slot->busy)
			continue;
		if (slot->ready_ns > now) {
			if (slot->ready_ns < next)
				next = slot->ready_ns;
			continue;
		}
		uint64_t index;
		int64_t due_ns;
		switch (schedule_take(c->config.schedule, now, &index,
				      &due_ns)) {
		case SCHEDULE_NOW:
			send_request(slot, index, due_ns);
			break;
		case SCHEDULE_LATER:
			*ret_next_ns = due_ns < next ? due_ns : next;
			return true;
		case SCHEDULE_OVER:
			return false;
		}
	}
	*ret_next_ns = next;
	return true;
}

static void collect_answers(struct client *c)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(c->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		const CURLcode code = message->data.result;
		struct slot *slot = NULL;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
				  &slot);
		finish_request(slot, code);
	}
}

/*
 * Sleep until an answer comes, somebody wakes us, or it is `until`.  The time
 * limit of curl_multi_poll has whole milliseconds; a timer among what it
 * watches is exact, and a request that is due is sent then and not up to a
 * millisecond later.
 */
static void wait_for_something(struct client *c, int64_t now, int64_t until)
{
	if (until > now + LONGEST_POLL_NS)
		until = now + LONGEST_POLL_NS;
	const struct itimerspec when = { .it_value = clock_to_timespec(until) };
	struct curl_waitfd timer = { .fd = c->timer_fd,
				     .events = CURL_WAIT_POLLIN };
	timerfd_settime(c->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	curl_multi_poll(c->multi, &timer, 1, (int)(LONGEST_POLL_NS / MS), NULL);
}

/* The time for answers is over: those still missing are let go of. */
static void abandon_requests(struct client *c)
{
	for (size_t i = 0; i < c->config.connections; i++) {
		struct slot *slot = &c->slots[i];
		if (!slot->busy)
			continue;
		curl_multi_remove_handle(c->multi, slot->easy);
		slot->busy = false;
		c->busy--;
		pthread_mutex_lock(&c->lock);
		c->results.abandoned++;
		pthread_mutex_unlock(&c->lock);
	}
}

void client_run(struct client *c)
{
	const struct schedule *s = c->config.schedule;
	for (;;) {
		int64_t now = clock_monotonic_ns();
		int64_t next = INT64_MAX;
		const int64_t end =
			atomic_load_explicit(&s->end_ns, memory_order_relaxed);
		if (now >= end)
			next = end + c->config.grace_ns;
		else if (!send_due(c, now, &next) || next > end)
			next = end;
		int running;
		curl_multi_perform(c->multi, &running);
		const size_t busy = c->busy;
		collect_answers(c);
		now = clock_monotonic_ns();
		if (now >= end && !c->busy)
			break;
		if (c->busy < busy && now < end)
			continue; /* a connection is free: use it at once */
		if (now >= end + c->config.grace_ns ||
		    atomic_load_explicit(&c->abort, memory_order_relaxed)) {
			abandon_requests(c);
			break;
		}
		wait_for_something(c, now, next);
	}
}

void client_wake(struct client *c, bool abort)
{
	if (abort)
		atomic_store_explicit(&c->abort, true, memory_order_relaxed);
	curl_multi_wakeup(c->multi);
}

void client_add_results(struct client *c, struct results *to)
{
	pthread_mutex_lock(&c->lock);
	results_merge(to, &c->results);
	pthread_mutex_unlock(&c->lock);
}

/* ---- life ---- */

static int set_up_slots(struct client *c)
{
	for (size_t i = 0; i < c->config.connections; i++) {
		struct slot *slot = &c->slots[i];
		slot->client = c;
		slot->easy = curl_easy_init();
		if (!slot->easy ||
		    set_up_easy(slot->easy, c->header, c->config.timeout_ns) ||
		    curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot) ||
		    curl_easy_setopt(slot->easy, CURLOPT_WRITEFUNCTION,
				     count_body) ||
		    curl_easy_setopt(slot->easy, CURLOPT_WRITEDATA, slot))
			return ERR_NOMEM;
	}
	/* A connection for every slot is kept, not only libcurl's usual few. */
	const long kept = (long)c->config.connections;
	return curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, kept)
		       ? ERR_NOMEM
		       : 0;
}

int client_create(const struct client_config *config,
		  struct client **ret_client, struct err *e)
{
	if (strlen(config->url) >= URL_MAX)
		return err_set(e, ERR_INVALID, "the URL is too long");
	struct client *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, ERR_NOMEM, "out of memory");
	c->config = *config;
	pthread_mutex_init(&c->lock, NULL);
	c->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	c->multi = curl_multi_init();
	c->slots = calloc(config->connections, sizeof(*c->slots));
	int rc = ERR_NOMEM;
	if (c->timer_fd < 0)
		rc = ERR_IO;
	else if (c->multi && c->slots)
		rc = make_header_list(config->headers, config->header_count,
				      &c->header);
	if (!rc)
		rc = set_up_slots(c);
	if (rc) {
		client_free(c);
		return err_set(e, rc, "no connection can be set up: %s",
			       err_name(rc));
	}
	*ret_client = c;
	return 0;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	for (size_t i = 0; c->slots && i < c->config.connections; i++)
		curl_easy_cleanup(c->slots[i].easy);
	free(c->slots);
	curl_multi_cleanup(c->multi);
	curl_slist_free_all(c->header);
	if (c->timer_fd >= 0)
		close(c->timer_fd);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- /health ---- */

static size_t drop_body(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return size * n;
}

int client_get_once(const char *url, const char *path,
		    const char *const *headers, size_t header_count,
		    int64_t timeout_ns, struct err *e)
{
	char full[URL_MAX + PLAN_TARGET];
	if (strlen(url) >= URL_MAX)
		return err_set(e, ERR_INVALID, "the URL is too long");
	snprintf(full, sizeof(full), "%s%s", url, path);
	struct curl_slist *header = NULL;
	CURL *easy = curl_easy_init();
	int rc = easy ? make_header_list(headers, header_count, &header)
		      : ERR_NOMEM;
	if (!rc)
		rc = set_up_easy(easy, header, timeout_ns);
	if (!rc && (curl_easy_setopt(easy, CURLOPT_URL, full) ||
		    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_body)))
		rc = ERR_NOMEM;
	if (rc) {
		err_set(e, rc, "%s: %s", full, err_name(rc));
	} else {
		long status = 0;
		const CURLcode code = curl_easy_perform(easy);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		if (code)
			rc = err_set(e, ERR_IO, "%s: %s", full,
				     curl_easy_strerror(code));
		else if (status != 200)
			rc = err_set(e, ERR_IO, "%s: the answer is %ld", full,
				     status);
	}
	curl_slist_free_all(header);
	curl_easy_cleanup(easy);
	return rc;
}
