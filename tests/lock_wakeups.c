/*
 * lock_wakeups.c - a program in which nothing goes on when one wake-up is lost:
 * two threads that wake each other, and a queue of four places with two
 * threads at each end.  It knows nothing of the profiler.
 *
 *	lock_wakeups ROUNDS [SECONDS]
 *
 * Ends with status 0 after so many rounds of both; by SIGALRM when the time is
 * over.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static long rounds, queued, taken;
static int turn;

static void *play(void *arg)
{
	const int me = arg != NULL;
	for (long i = 0; i < rounds; i++) {
		pthread_mutex_lock(&m);
		while (turn != me)
			pthread_cond_wait(&turned, &m);
		turn = !me;
		/* One waits, if any. */
		pthread_cond_signal(&turned);
		pthread_mutex_unlock(&m);
	}
	return NULL;
}

static void *put(void *arg)
{
	for (long i = 0; i < rounds / 2; i++) {
		pthread_mutex_lock(&m);
		while (queued == 4)
			pthread_cond_wait(&not_full, &m);
		queued++;
		pthread_cond_signal(&not_empty);
		pthread_mutex_unlock(&m);
	}
	return arg;
}

static void *get(void *arg)
{
	for (long i = 0; i < rounds / 2; i++) {
		pthread_mutex_lock(&m);
		while (queued == 0)
			pthread_cond_wait(&not_empty, &m);
		queued--;
		taken++;
		pthread_cond_signal(&not_full);
		pthread_mutex_unlock(&m);
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t[6];
	rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	alarm(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 60);
	pthread_create(&t[0], NULL, play, NULL);
	pthread_create(&t[1], NULL, play, &turn);
	for (int i = 2; i < 6; i++)
		pthread_create(&t[i], NULL, i < 4 ? put : get, NULL);
	for (int i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
	printf("%ld rounds, %ld taken\n", rounds, taken);
	return taken == rounds / 2 * 2 ? 0 : 1;
}
