# bench: run by hand (make bench), never by make check

# What the heap profiler costs, beside its peers; and the ways to recognize a
# sampled block.
EXTRA_PROGRAMS += bench/malloc_pair bench/recognize bench/unwind
BENCHES += bench/malloc.sh bench/recognize.sh bench/unwind.sh
EXTRA_DIST += bench/malloc.sh bench/recognize.sh bench/unwind.sh
bench_malloc_pair_SOURCES = bench/malloc_pair.c
bench_malloc_pair_CFLAGS = $(AM_CFLAGS) -fno-builtin
bench_recognize_SOURCES = bench/recognize.c
bench_recognize_CFLAGS = $(AM_CFLAGS) -fno-builtin
bench_recognize_LDADD = $(PPROF_NOUNWIND_LIBS)
bench_unwind_SOURCES = bench/unwind.c
bench_unwind_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
bench_unwind_LDADD = $(PPROF_NOUNWIND_LIBS)

# What the mutex and block profiles cost.
EXTRA_PROGRAMS += bench/lock_pair
BENCHES += bench/locks.sh
EXTRA_DIST += bench/locks.sh
bench_lock_pair_SOURCES = bench/lock_pair.c
bench_lock_pair_LDADD = $(PTHREAD_LIBS)
