/* lock_semantics_rates.c - lock_semantics with the shims linked in: their rates
 * are in the preload library's variables, and the end says what was seen. */
#include "base/buf.h"
#include "pprof/pprof.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t variable(const char *name)
{
	const char *text = getenv(name);
	return text ? (int64_t)strtoll(text, NULL, 10) : 0;
}

/* Before any lock of the program's. */
__attribute__((constructor(102))) static void set_rates(void)
{
	pprof_set_block_profile_rate(variable("PPROF_BLOCK_RATE"));
	pprof_set_mutex_profile_fraction((int)variable("PPROF_MUTEX_FRACTION"));
}

static int append(void *arg, const void *data, size_t len)
{
	return fwrite(data, 1, len, arg) == len ? 0 : PPROF_ERR_IO;
}

__attribute__((destructor)) static void show(void)
{
	static const char *const names[] = { "block", "mutex" };
	const struct pprof_write_options o = { .debug = 1 };
	const struct pprof_writer w = { append, stderr };
	for (int i = 0; getenv("SHOW_PROFILES") && i < 2; i++)
		pprof_write_to(pprof_lookup(names[i]), &o, &w);
}
