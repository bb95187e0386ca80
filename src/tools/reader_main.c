/*
 * reader_main.c - proflab-pprof: read any profile, in the terminal and in the
 * browser.  Flags, reports and numbers are those of `go tool pprof`.
 */
#include "base/err.h"
#include "profile/profile.h"
#include "tools/die.h"
#include "tools/reader_commands.h"
#include "tools/reader_fetch.h"
#include "tools/reader_flags.h"
#include "tools/reader_http.h"
#include "tools/reader_prompt.h"
#include "tools/reader_web.h"

int main(int argc, char **argv)
{
	struct reader_flags f;
	struct profile *p, *base = NULL;
	struct err e = { "" };
	flags_parse(argc, argv, &f);
	command_tools = f.source.tools;
	http_use_tls(&f.source.tls);
	if (fetch_profiles(&f.source, &p, *f.source.http ? &base : NULL, &e))
		die("%s", e.text);
	int rc = 0;
	if (*f.source.http)
		return web_run(&f, p, base);
	if (!f.command)
		prompt_run(p, &f.config);
	else
		rc = command_run(f.command, f.parameter, &f.config, p, false,
				 &e);
	if (rc)
		die("%s", e.text);
	profile_free(p);
	config_free(&f.config);
	return 0;
}
