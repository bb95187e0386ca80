/* lock_object.c - an object that waits for a lock, and is unloaded
 * (check_lock_hazards). */
#include <pthread.h>

void *wait_in_object(void *m);

__attribute__((noinline)) void *wait_in_object(void *m)
{
	pthread_mutex_lock(m);
	pthread_mutex_unlock(m);
	return NULL;
}
