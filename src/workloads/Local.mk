# src/workloads: each workload twice, as the exercise gives it (here) and mended
# (solutions/).  Three archives of the same interface: all faulty, all fixed,
# and the selection that ./configure --with-fixed made.  doc/instructor.md says how
# to add one.
workloads_common_sources = \
	src/workloads/cpu.h \
	src/workloads/memory.h \
	src/workloads/inefficient.h \
	src/workloads/leaky.h \
	src/workloads/cache.h \
	src/workloads/concurrent.h \
	src/workloads/database.h \
	src/workloads/database_file.c src/workloads/database_file.h \
	src/workloads/hash.h \
	src/workloads/pause.h \
	src/workloads/task.c src/workloads/task.h \
	$(NULL)
workloads_faulty_sources = \
	src/workloads/cpu.c \
	src/workloads/memory.c \
	src/workloads/inefficient.c \
	src/workloads/leaky.c \
	src/workloads/cache.c \
	src/workloads/concurrent.c \
	src/workloads/database.c \
	$(NULL)
workloads_fixed_sources = \
	solutions/cpu.c \
	solutions/memory.c \
	solutions/inefficient.c \
	solutions/leaky.c \
	solutions/cache.c \
	solutions/concurrent.c \
	solutions/database.c \
	$(NULL)

# -fno-optimize-sibling-calls: a function that calls another as its last act
# stays on the stack, where the profile is to show it.
workloads_cflags = $(AM_CFLAGS) -fno-optimize-sibling-calls $(SQLITE_CFLAGS)
workloads_libs = $(SQLITE_LIBS) -lm

noinst_LTLIBRARIES += \
	libworkloads.la libworkloads-faulty.la libworkloads-fixed.la
# configure has chosen one object for each workload.
libworkloads_la_SOURCES = $(workloads_common_sources)
EXTRA_libworkloads_la_SOURCES = \
	$(workloads_faulty_sources) $(workloads_fixed_sources)
libworkloads_la_CFLAGS = $(workloads_cflags)
libworkloads_la_LIBADD = $(WORKLOADS_SELECTED) $(workloads_libs)
EXTRA_libworkloads_la_DEPENDENCIES = $(WORKLOADS_SELECTED)
libworkloads_faulty_la_SOURCES = \
	$(workloads_common_sources) $(workloads_faulty_sources)
libworkloads_faulty_la_CFLAGS = $(workloads_cflags)
libworkloads_faulty_la_LIBADD = $(workloads_libs)
libworkloads_fixed_la_SOURCES = \
	$(workloads_common_sources) $(workloads_fixed_sources)
libworkloads_fixed_la_CFLAGS = $(workloads_cflags)
libworkloads_fixed_la_LIBADD = $(workloads_libs)
# A program that links one of them links libbase.la too.

# Everything is tested in both variants; --wrap counts, and refuses, what they
# allocate.
workloads_test_ldflags = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc \
	-Wl,--wrap=realloc -Wl,--wrap=free -Wl,--wrap=aligned_alloc
check_PROGRAMS += \
	tests/check_workloads-faulty tests/check_workloads-fixed \
	tests/workload_report-faulty tests/workload_report-fixed
TESTS += \
	tests/check_workloads-faulty tests/check_workloads-fixed \
	tests/workload_twins.sh
EXTRA_DIST += tests/workload_twins.sh
tests_check_workloads_faulty_SOURCES = \
	tests/check_workloads.c tests/alloc_count.h
tests_check_workloads_faulty_CPPFLAGS = \
	$(AM_CPPFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
tests_check_workloads_faulty_LDADD = \
	libworkloads-faulty.la libbase.la $(CHECK_LIBS)
tests_check_workloads_faulty_LDFLAGS = $(workloads_test_ldflags)
tests_check_workloads_fixed_SOURCES = $(tests_check_workloads_faulty_SOURCES)
tests_check_workloads_fixed_CPPFLAGS = \
	$(tests_check_workloads_faulty_CPPFLAGS) -DWORKLOADS_FIXED
tests_check_workloads_fixed_LDADD = \
	libworkloads-fixed.la libbase.la $(CHECK_LIBS)
tests_check_workloads_fixed_LDFLAGS = $(workloads_test_ldflags)
tests_workload_report_faulty_SOURCES = \
	tests/workload_report.c tests/alloc_count.h
tests_workload_report_faulty_LDADD = libworkloads-faulty.la libbase.la
tests_workload_report_faulty_LDFLAGS = $(workloads_test_ldflags)
tests_workload_report_fixed_SOURCES = $(tests_workload_report_faulty_SOURCES)
tests_workload_report_fixed_LDADD = libworkloads-fixed.la libbase.la
tests_workload_report_fixed_LDFLAGS = $(workloads_test_ldflags)

# The write-ups that stand beside the fixed twins.
EXTRA_DIST += \
	solutions/cpu.md \
	solutions/memory.md \
	solutions/inefficient.md \
	solutions/leaky.md \
	solutions/cache.md \
	solutions/concurrent.md \
	solutions/database.md \
	$(NULL)
