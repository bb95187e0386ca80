/*
 * lock_pair.c - nanoseconds of an uncontended pair of lock functions, for
 * locks.sh, which preloads the profiler.
 *
 *	lock_pair KIND [single]
 *
 * Kinds: see the table.  Beside an idle thread, or in a process that has none
 * ("single").  The least of 100 short passes: what disturbs a pass only makes
 *it longer.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { PASSES = 101 };

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t sem;
static mtx_t mtx;

#define PAIR(name, one, other)                                                 \
	static void name(long pairs)                                           \
	{                                                                      \
		for (long i = 0; i < pairs; i++) {                             \
			one;                                                   \
			__asm__ __volatile__("" : : : "memory");               \
			other;                                                 \
		}                                                              \
	}
PAIR(run_mutex, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex))
PAIR(run_recursive, pthread_mutex_lock(&recursive),
     pthread_mutex_unlock(&recursive))
PAIR(run_read, pthread_rwlock_rdlock(&rwlock), pthread_rwlock_unlock(&rwlock))
PAIR(run_write, pthread_rwlock_wrlock(&rwlock), pthread_rwlock_unlock(&rwlock))
PAIR(run_spin, pthread_spin_lock(&spin), pthread_spin_unlock(&spin))
PAIR(run_mtx, mtx_lock(&mtx), mtx_unlock(&mtx))
PAIR(run_sem, sem_post(&sem), sem_wait(&sem))
/* With nobody there to be woken. */
PAIR(run_signal, pthread_mutex_lock(&mutex),
     (pthread_cond_signal(&cond), pthread_mutex_unlock(&mutex)))

/* Each is woken by the other, and wakes it: two switches and two waits. */
static int turn;
static long rounds;

static void *play(void *arg)
{
	const int me = arg != NULL;
	pthread_mutex_lock(&mutex);
	for (long i = 0; i < rounds; i++) {
		while (turn != me)
			pthread_cond_wait(&cond, &mutex);
		turn = !me;
		pthread_cond_signal(&cond);
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void run_ping_pong(long pairs)
{
	pthread_t other;
	rounds = pairs;
	turn = 0;
	pthread_create(&other, NULL, play, &turn);
	play(NULL);
	pthread_join(other, NULL);
}

/* Two threads that both want it nearly all the time. */
static void *want(void *arg)
{
	run_mutex(*(long *)arg);
	return NULL;
}

static void run_contended(long pairs)
{
	pthread_t other;
	pthread_create(&other, NULL, want, &pairs);
	run_mutex(pairs);
	pthread_join(other, NULL);
}

static void *stay(void *arg)
{
	pause();
	return arg;
}

static const struct kind {
	const char *name;
	void (*run)(long pairs);
	long pairs;
} kinds[] = {
	{ "mutex", run_mutex, 50000 },
	{ "recursive", run_recursive, 50000 },
	{ "mtx", run_mtx, 50000 },
	{ "rwlock-read", run_read, 50000 },
	{ "rwlock-write", run_write, 50000 },
	{ "spin", run_spin, 50000 },
	{ "sem", run_sem, 50000 },
	{ "cond-signal", run_signal, 50000 },
	{ "cond-ping-pong", run_ping_pong, 1000 },
	{ "contended", run_contended, 20000 },
};

int main(int argc, char **argv)
{
	const struct kind *kind = NULL;
	double best = 1e12;
	for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, argv[1]) == 0)
			kind = &kinds[i];
	if (!kind)
		return 2;
	pthread_t idle;
	/* glibc saves itself the atomic operations where there is one thread.
	 */
	if (argc < 3)
		pthread_create(&idle, NULL, stay, NULL);
	const long pairs = kind->pairs;
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	sem_init(&sem, 0, 0);
	mtx_init(&mtx, mtx_plain);
	for (int pass = 0; pass < PASSES; pass++) {
		const double start = now_ns();
		kind->run(pairs);
		const double ns = (now_ns() - start) / (double)pairs;
		/* The first warms up. */
		if (pass > 0 && ns < best)
			best = ns;
	}
	printf("%.3f\n", best);
	return 0;
}
