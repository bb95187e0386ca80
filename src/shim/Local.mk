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
