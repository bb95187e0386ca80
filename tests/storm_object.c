/* storm_object.c - something to load, run and unload again. */
#include <stddef.h>

int storm_object_work(int n);

int storm_object_work(int n)
{
	volatile int sum = 0;
	for (int i = 0; i < n; i++)
		sum += i;
	return sum;
}
