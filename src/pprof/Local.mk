# src/pprof: libpprof, the profiler inside a running process.
#
# A product links libpprof-core.la, one of libpprof-unwind.la (libunwind for
# the CPU samples of warmed threads) and libpprof-nounwind.la, and the archives
# that they stand on: $(PPROF_LIBS), or $(PPROF_NOUNWIND_LIBS).
noinst_LTLIBRARIES += libpprof-core.la libpprof-unwind.la libpprof-nounwind.la
libpprof_core_la_SOURCES = \
	src/pprof/ask.c src/pprof/ask.h \
	src/pprof/budget.c src/pprof/budget.h \
	src/pprof/capture.c src/pprof/capture.h \
	src/pprof/cfi_entry.c src/pprof/cfi_entry.h \
	src/pprof/contention.c src/pprof/contention.h \
	src/pprof/contention_hooks.c src/pprof/contention_internal.h \
	src/pprof/cpu.c src/pprof/cpu.h \
	src/pprof/cpu_thread.c src/pprof/cpu_thread.h \
	src/pprof/custom.c \
	src/pprof/freeze.c src/pprof/freeze.h \
	src/pprof/guard.c src/pprof/guard.h \
	src/pprof/heap.c src/pprof/heap.h src/pprof/heap_source.c \
	src/pprof/hooks.c src/pprof/hooks.h \
	src/pprof/label.c src/pprof/label.h \
	src/pprof/live.c src/pprof/live.h \
	src/pprof/lock_waits.c src/pprof/lock_waits.h \
	src/pprof/lost.c src/pprof/lost.h \
	src/pprof/memstats.c src/pprof/memstats.h \
	src/pprof/own.c src/pprof/own.h \
	src/pprof/perf_event.c src/pprof/perf_event.h \
	src/pprof/points.h \
	src/pprof/pprof.c src/pprof/pprof.h \
	src/pprof/sample.c src/pprof/sample.h \
	src/pprof/sampler.c src/pprof/sampler.h \
	src/pprof/sampler_budget.c src/pprof/sampler_budget.h \
	src/pprof/sampler_control.c src/pprof/sampler_control.h \
	src/pprof/sampler_internal.h \
	src/pprof/sampler_signal.c src/pprof/sampler_signal.h \
	src/pprof/source.c src/pprof/source.h \
	src/pprof/stack_table.c src/pprof/stack_table.h \
	src/pprof/stat.c src/pprof/stat.h \
	src/pprof/symbols.c src/pprof/symbols.h \
	src/pprof/text.c src/pprof/text.h \
	src/pprof/thread.c src/pprof/thread.h \
	src/pprof/thread_scan.c \
	src/pprof/threadcreate.c src/pprof/threadcreate.h \
	src/pprof/threads.c src/pprof/threads.h \
	src/pprof/threads_dump.c src/pprof/threads_take.c \
	src/pprof/timer.c src/pprof/timer.h \
	src/pprof/uncancelled.h \
	src/pprof/unwind.c src/pprof/unwind.h \
	src/pprof/unwind_cfi.c src/pprof/unwind_cfi.h \
	src/pprof/unwind_fast.h \
	src/pprof/unwind_gcc.c src/pprof/unwind_gcc.h \
	src/pprof/unwind_internal.h \
	src/pprof/unwind_phdr.c src/pprof/unwind_phdr.h \
	src/pprof/unwind_rules.c src/pprof/unwind_rules.h \
	src/pprof/wall.c src/pprof/wall.h \
	src/pprof/writer.c src/pprof/writer.h \
	$(NULL)
libpprof_core_la_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
# libgcc's unwinder, statically (unwind_gcc.c says why).
PPROF_BASE_LIBS = libsymbol.la libprofile.la libbase.la $(LIBGCC_EH)
libpprof_unwind_la_SOURCES = src/pprof/unwind_libunwind.c
libpprof_unwind_la_CPPFLAGS = $(AM_CPPFLAGS) $(UNWIND_CFLAGS)
libpprof_unwind_la_LIBADD = $(UNWIND_LIBS)
libpprof_nounwind_la_SOURCES = src/pprof/unwind_none.c
PPROF_LIBS = libpprof-core.la libpprof-unwind.la $(PPROF_BASE_LIBS)
PPROF_NOUNWIND_LIBS = libpprof-core.la libpprof-nounwind.la $(PPROF_BASE_LIBS)

# libpprof.so: the library alone, for programs that embed it.  Without the
# shims nothing serves libunwind, so it is left out.  Never unmapped: a signal
# may come late.
lib_LTLIBRARIES += libpprof.la
libpprof_la_SOURCES = src/pprof/pprof.h
libpprof_la_LIBADD = $(PPROF_NOUNWIND_LIBS) $(PTHREAD_LIBS)
libpprof_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 \
	-export-symbols-regex '^pprof_' -no-undefined \
	-Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,-Bsymbolic-functions
include_HEADERS += src/pprof/pprof.h
nodist_pkgconfig_DATA += src/pprof/pprof.pc
EXTRA_DIST += src/pprof/pprof.pc.in tests/exports.list
CLEANFILES += src/pprof/pprof.pc
src/pprof/pprof.pc: src/pprof/pprof.pc.in Makefile
	$(AM_V_GEN)$(MKDIR_P) src/pprof && $(SED) \
		-e 's|@prefix[@]|$(prefix)|' \
		-e 's|@exec_prefix[@]|$(exec_prefix)|' \
		-e 's|@libdir[@]|$(libdir)|' \
		-e 's|@includedir[@]|$(includedir)|' \
		-e 's|@PACKAGE_VERSION[@]|$(PACKAGE_VERSION)|' \
		$(srcdir)/src/pprof/pprof.pc.in >$@.tmp && mv $@.tmp $@
TESTS += tests/exports.sh
EXTRA_DIST += tests/exports.sh

check_PROGRAMS += tests/check_stack_table
TESTS += tests/check_stack_table
tests_check_stack_table_SOURCES = tests/check_stack_table.c
tests_check_stack_table_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_stack_table_LDADD = $(PPROF_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/check_unwind
TESTS += tests/check_unwind
tests_check_unwind_SOURCES = tests/check_unwind.c
tests_check_unwind_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_unwind_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
tests_check_unwind_LDADD = $(PPROF_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/check_unwind_cfi
TESTS += tests/check_unwind_cfi
tests_check_unwind_cfi_SOURCES = tests/check_unwind_cfi.c
tests_check_unwind_cfi_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(DW_CFLAGS)
tests_check_unwind_cfi_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
tests_check_unwind_cfi_LDADD = $(PPROF_NOUNWIND_LIBS) $(DW_LIBS) $(ELF_LIBS) \
	$(CHECK_LIBS)

check_PROGRAMS += tests/check_unwind_wrong
TESTS += tests/check_unwind_wrong
tests_check_unwind_wrong_SOURCES = tests/check_unwind_wrong.c
tests_check_unwind_wrong_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_unwind_wrong_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
tests_check_unwind_wrong_LDADD = $(PPROF_NOUNWIND_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/check_label tests/check_custom
TESTS += tests/check_label tests/check_custom
tests_check_label_SOURCES = tests/check_label.c
tests_check_label_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_label_LDADD = $(PPROF_LIBS) $(CHECK_LIBS)
tests_check_custom_SOURCES = tests/check_custom.c
tests_check_custom_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_custom_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
tests_check_custom_LDADD = $(PPROF_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/check_threads
TESTS += tests/check_threads
tests_check_threads_SOURCES = tests/check_threads.c tests/cpu_testing.h
tests_check_threads_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_threads_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
tests_check_threads_LDADD = $(SHIM_LIBS) $(PPROF_LIBS) $(CHECK_LIBS) -lm

check_PROGRAMS += tests/check_contention
TESTS += tests/check_contention
tests_check_contention_SOURCES = tests/check_contention.c tests/cpu_testing.h
tests_check_contention_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_contention_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
tests_check_contention_LDADD = $(SHIM_LIBS) $(PPROF_LIBS) $(CHECK_LIBS) -lm

check_PROGRAMS += tests/check_lock_hazards
TESTS += tests/check_lock_hazards
tests_check_lock_hazards_SOURCES = tests/check_lock_hazards.c \
	tests/cpu_testing.h
tests_check_lock_hazards_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_lock_hazards_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
tests_check_lock_hazards_LDFLAGS = $(AM_LDFLAGS) $(SHIM_EXPORTS)
tests_check_lock_hazards_LDADD = $(SHIM_LIBS) $(PPROF_NOUNWIND_LIBS) \
	$(CHECK_LIBS) -lm
EXTRA_tests_check_lock_hazards_DEPENDENCIES = tests/lock_object.la
check_LTLIBRARIES += tests/lock_object.la
tests_lock_object_la_SOURCES = tests/lock_object.c
tests_lock_object_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version \
	-rpath /nowhere

check_PROGRAMS += tests/check_wall
TESTS += tests/check_wall
tests_check_wall_SOURCES = tests/check_wall.c tests/cpu_testing.h
tests_check_wall_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_wall_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
tests_check_wall_LDADD = $(SHIM_LIBS) $(PPROF_LIBS) $(CHECK_LIBS) -lm

check_PROGRAMS += tests/check_live
TESTS += tests/check_live
tests_check_live_SOURCES = tests/check_live.c
tests_check_live_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_live_LDADD = $(PPROF_NOUNWIND_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/check_writer
TESTS += tests/check_writer
tests_check_writer_SOURCES = tests/check_writer.c tests/alloc_count.h
tests_check_writer_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_writer_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
tests_check_writer_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc \
	-Wl,--wrap=realloc,--wrap=free,--wrap=aligned_alloc
tests_check_writer_LDADD = $(PPROF_LIBS) $(CHECK_LIBS)
EXTRA_tests_check_writer_DEPENDENCIES = tests/freeze_a.la tests/freeze_b.la
check_LTLIBRARIES += tests/freeze_a.la tests/freeze_b.la
freeze_ldflags = $(AM_LDFLAGS) -module -avoid-version -rpath /nowhere
tests_freeze_a_la_SOURCES = tests/freeze_object.c
tests_freeze_a_la_CPPFLAGS = $(AM_CPPFLAGS) -DFREEZE_NAME=frozen_a
tests_freeze_a_la_LDFLAGS = $(freeze_ldflags)
tests_freeze_b_la_SOURCES = tests/freeze_object.c
tests_freeze_b_la_CPPFLAGS = $(AM_CPPFLAGS) -DFREEZE_NAME=frozen_b
tests_freeze_b_la_LDFLAGS = $(freeze_ldflags)

check_PROGRAMS += tests/check_text
TESTS += tests/check_text
tests_check_text_SOURCES = tests/check_text.c
tests_check_text_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_text_LDADD = $(PPROF_LIBS) $(CHECK_LIBS)
EXTRA_DIST += \
	tests/golden/go-text/block.txt \
	tests/golden/go-text/goroutine.txt \
	tests/golden/go-text/heap.txt \
	tests/golden/go-text/mutex.txt \
	tests/golden/go-text/threadcreate.txt

include src/pprof/cpu-tests.mk
