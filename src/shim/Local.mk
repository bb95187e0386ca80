# src/shim: the files that define someone else's symbols.
#
# libshim-malloc.la: malloc's family and C++'s operator new and delete.  A
# program that links it has its heap profiled; under AddressSanitizer it must
# not be linked.  No builtins: to the compiler malloc must be a name like any
# other here.
noinst_LTLIBRARIES += libshim-malloc.la
libshim_malloc_la_SOURCES = \
	src/shim/malloc.c \
	src/shim/malloc_next.c src/shim/malloc_next.h \
	src/shim/malloc_slow.c src/shim/malloc_slow.h \
	src/shim/new.c \
	$(NULL)
libshim_malloc_la_CFLAGS = $(AM_CFLAGS) -fno-builtin -fomit-frame-pointer \
	-foptimize-sibling-calls

# Threads, loading and exec: a program takes them in by naming $(SHIM_LIBS)
# among its LDADD.  They are
# object files, not an archive: a linker leaves an archive's member out when
# nothing refers to it, and nothing refers to dlclose in a program that only
# its libraries call.  A program that also wants libraries loaded later to find
# them adds $(SHIM_EXPORTS).
noinst_LTLIBRARIES += libpprof-shim.la
libpprof_shim_la_SOURCES = \
	src/shim/dl.c \
	src/shim/exec.c \
	src/shim/lock.h src/shim/lock_mutex.c src/shim/lock_rwlock.c \
	src/shim/lock_wait.c \
	src/shim/real.c src/shim/real.h \
	src/shim/thread.c \
	$(NULL)
# The jumps into the program's functions (thread.c) leave no frame behind.
# A cancelled wait is told as the stack is unwound (lock_wait.c).
# ThreadSanitizer calls some of them before it is ready for what it instruments.
libpprof_shim_la_CFLAGS = $(AM_CFLAGS) -foptimize-sibling-calls -fexceptions \
	-fomit-frame-pointer \
	-fno-sanitize=thread
SHIM_LIBS = $(libpprof_shim_la_OBJECTS)
SHIM_EXPORTS = \
	-Wl,--export-dynamic-symbol=dl_iterate_phdr \
	-Wl,--export-dynamic-symbol=dlopen \
	-Wl,--export-dynamic-symbol=dlmopen \
	-Wl,--export-dynamic-symbol=dlclose \
	-Wl,--export-dynamic-symbol=pthread_create \
	-Wl,--export-dynamic-symbol=thrd_create \
	-Wl,--export-dynamic-symbol=exec* \
	-Wl,--export-dynamic-symbol=pthread_mutex_* \
	-Wl,--export-dynamic-symbol=pthread_rwlock_* \
	-Wl,--export-dynamic-symbol=pthread_cond_* \
	-Wl,--export-dynamic-symbol=pthread_spin_* \
	-Wl,--export-dynamic-symbol=pthread_barrier_wait \
	-Wl,--export-dynamic-symbol=pthread_*join* \
	-Wl,--export-dynamic-symbol=sem_*wait \
	-Wl,--export-dynamic-symbol=mtx_* \
	-Wl,--export-dynamic-symbol=cnd_* \
	-Wl,--export-dynamic-symbol=thrd_join

# Daemons: for the preload library alone.
noinst_LTLIBRARIES += libshim-daemon.la
libshim_daemon_la_SOURCES = src/shim/daemon.c

# The archives of a program whose heap is profiled.
SHIM_MALLOC_LIBS = libshim-malloc.la

check_PROGRAMS += tests/check_heap
if !SANITIZED
TESTS += tests/check_heap
endif
if !SANITIZED
LONG_TESTS += tests/heap-long.sh
endif
EXTRA_DIST += tests/heap-long.sh
tests_check_heap_SOURCES = tests/check_heap.c
tests_check_heap_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_heap_CFLAGS = $(AM_CFLAGS) -fno-builtin \
	-fno-optimize-sibling-calls
tests_check_heap_LDADD = $(SHIM_MALLOC_LIBS) $(PPROF_LIBS) $(CHECK_LIBS) -lm

# The lock functions' answers, with and without.
check_PROGRAMS += tests/lock_semantics tests/lock_semantics_linked
TESTS += tests/lock-semantics.sh
EXTRA_DIST += tests/lock-semantics.sh
tests_lock_semantics_SOURCES = \
	tests/lock_semantics.c tests/lock_semantics.h \
	tests/lock_semantics_cancel.c \
	tests/lock_semantics_mutex.c \
	tests/lock_semantics_wait.c \
	$(NULL)
tests_lock_semantics_LDADD = $(PTHREAD_LIBS)
tests_lock_semantics_linked_SOURCES = $(tests_lock_semantics_SOURCES) \
	tests/lock_semantics_rates.c
tests_lock_semantics_linked_LDFLAGS = $(AM_LDFLAGS) $(SHIM_EXPORTS)
tests_lock_semantics_linked_LDADD = $(SHIM_LIBS) $(PPROF_NOUNWIND_LIBS) \
	$(PTHREAD_LIBS)

# Switched while it runs; no wake-up lost.
check_PROGRAMS += tests/lock_wakeups
TESTS += tests/lock-rates.sh
LONG_TESTS += tests/lock-long.sh
EXTRA_DIST += tests/lock-rates.sh tests/lock-long.sh
tests_lock_wakeups_SOURCES = tests/lock_wakeups.c
tests_lock_wakeups_LDADD = $(PTHREAD_LIBS)
