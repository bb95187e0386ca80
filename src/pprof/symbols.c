/*
 * symbols.c - see symbols.h.
 *
 * fork: waiting for a writer before every fork could take seconds, so the lock
 * is not taken around it.  The child makes it anew instead, and where someone
 * held it at that moment it leaves the half-changed symbolizer alone (what was
 * resolved by it stays valid) and starts another.
 */
#include "pprof/symbols.h"

#include "pprof/guard.h"

#include <pthread.h>
#include <stdbool.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct symbolizer *symbolizer; /* guard: lock */
static volatile bool held;	      /* guard: lock; read after fork */
static int cancel_state;	      /* of the holder; guard: lock */

int symbols_lock(struct symbolizer **ret_symbolizer, struct err *e)
{
	int before;
	guard_enter();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	pthread_mutex_lock(&lock);
	held = true;
	cancel_state = before;
	const int code = symbolizer ? 0 : symbolizer_new(&symbolizer, e);
	if (code) {
		symbols_unlock();
		return code;
	}
	*ret_symbolizer = symbolizer;
	return 0;
}

void symbols_unlock(void)
{
	const int before = cancel_state;
	held = false;
	pthread_mutex_unlock(&lock);
	pthread_setcancelstate(before, NULL);
	guard_leave();
}

uint64_t symbols_function_start(uint64_t address)
{
	struct symbolizer *s;
	if (symbols_lock(&s, NULL))
		return 0;
	const uint64_t start = symbolizer_function_start(s, address);
	symbols_unlock();
	return start;
}

static void after_fork_in_child(void)
{
	if (held)
		symbolizer = NULL;
	held = false;
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

__attribute__((constructor)) static void symbols_init(void)
{
	pthread_atfork(NULL, NULL, after_fork_in_child);
}
