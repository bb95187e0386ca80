# The CPU profiler's tests; included by Local.mk.  It is tested in a program as
# a product is built: with the shims.
CPU_TEST_LDADD = $(SHIM_LIBS) $(PPROF_LIBS) $(CHECK_LIBS) -lm
CPU_TEST_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
CPU_TESTS = tests/check_cpu tests/check_cpu_safety tests/check_cpu_scan \
	tests/check_cpu_storm tests/check_budget
check_PROGRAMS += $(CPU_TESTS)
TESTS += $(CPU_TESTS) tests/signal-safety.sh
EXTRA_DIST += tests/signal-safety.sh
tests_check_cpu_SOURCES = tests/check_cpu.c tests/cpu_testing.h
tests_check_cpu_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_cpu_CFLAGS = $(CPU_TEST_CFLAGS)
tests_check_cpu_LDADD = $(CPU_TEST_LDADD)
tests_check_budget_SOURCES = tests/check_budget.c tests/cpu_testing.h
tests_check_budget_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_budget_CFLAGS = $(CPU_TEST_CFLAGS)
tests_check_budget_LDADD = $(CPU_TEST_LDADD)
tests_check_cpu_safety_SOURCES = tests/check_cpu_safety.c tests/cpu_testing.h
tests_check_cpu_safety_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_cpu_safety_CFLAGS = $(CPU_TEST_CFLAGS)
tests_check_cpu_safety_LDFLAGS = $(AM_LDFLAGS) $(SHIM_EXPORTS)
tests_check_cpu_safety_LDADD = $(CPU_TEST_LDADD)
EXTRA_tests_check_cpu_safety_DEPENDENCIES = tests/dlopen_caller.la \
	tests/storm_object.la
# No shims: threads are found by scanning.
tests_check_cpu_scan_SOURCES = tests/check_cpu_scan.c tests/cpu_testing.h
tests_check_cpu_scan_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_cpu_scan_CFLAGS = $(CPU_TEST_CFLAGS)
tests_check_cpu_scan_LDADD = $(PPROF_LIBS) $(CHECK_LIBS) -lm
tests_check_cpu_storm_SOURCES = tests/check_cpu_storm.c tests/cpu_testing.h
tests_check_cpu_storm_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_cpu_storm_CFLAGS = $(CPU_TEST_CFLAGS)
tests_check_cpu_storm_LDADD = $(CPU_TEST_LDADD)
EXTRA_tests_check_cpu_storm_DEPENDENCIES = tests/storm_object.la
# A module that the storm loads and unloads, and one that loads it by name.
check_LTLIBRARIES += tests/storm_object.la tests/dlopen_caller.la
tests_storm_object_la_SOURCES = tests/storm_object.c
tests_storm_object_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version \
	-rpath /nowhere
tests_dlopen_caller_la_SOURCES = tests/dlopen_caller.c
tests_dlopen_caller_la_LDFLAGS = $(tests_storm_object_la_LDFLAGS) \
	-Wl,--enable-new-dtags,-rpath,$(abs_top_builddir)/tests/.libs
