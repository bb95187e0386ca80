/*
 * testing.h - what every Check program here shares: TAP on standard output, a
 * visible skip where a judge is missing, and a failure instead of it where
 * REQUIRE_JUDGES says that all must be present.
 */
#ifndef PROFLAB_TESTS_TESTING_H
#define PROFLAB_TESTS_TESTING_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Run the suite and say how it went; the exit status of main. */
static inline int testing_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * End the whole program as skipped, with the reason; under REQUIRE_JUDGES=1
 * as failed.  Call it from main, before testing_run.
 */
static inline void testing_skip_all(const char *reason)
{
	const char *require = getenv("REQUIRE_JUDGES");
	if (require && *require == '1') {
		printf("1..1\nnot ok 1 - %s (and REQUIRE_JUDGES=1)\n", reason);
		exit(EXIT_FAILURE);
	}
	printf("1..0 # SKIP %s\n", reason);
	exit(EXIT_SUCCESS);
}

/* The path of a judge as configure found it ("GO", "PROMTOOL", ...), or "". */
static inline const char *testing_judge(const char *variable)
{
	const char *path = getenv(variable);
	return path ? path : "";
}

/* Add a table-driven test: body sees the row's index in _i. */
#define testing_add_table(tcase, test, table)                                  \
	tcase_add_loop_test(tcase, test, 0,                                    \
			    (int)(sizeof(table) / sizeof((table)[0])))

#endif
