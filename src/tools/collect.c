/*
 * collect.c - proflab-collect: profiles of a running process, round by round,
 * and what they say together.
 */
#include "tools/collect.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "report"))
		return collect_report_main(argc - 1, argv + 1);
	fputs("Usage: proflab-collect report [OPTION]... DIR|FILE...\n",
	      stderr);
	return COLLECT_USAGE;
}
