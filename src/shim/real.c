/* real.c - see real.h. */
#include "shim/real.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

void *shim_real(const char *name, const char *obsolete, const char *current)
{
	void *fn = dlsym(RTLD_NEXT, name);
	if (fn && obsolete && fn == dlvsym(RTLD_NEXT, name, obsolete)) {
		void *newer = dlvsym(RTLD_NEXT, name, current);
		if (newer)
			fn = newer;
	}
	if (!fn) {
		say("libpprof: there is no function ");
		say(name);
		say("\n");
		abort();
	}
	return fn;
}
