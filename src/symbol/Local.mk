# src/symbol: a pc's function, file, line and inlined calls.
noinst_LTLIBRARIES += libsymbol.la
libsymbol_la_SOURCES = \
	src/symbol/debug_file.c src/symbol/debug_file.h \
	src/symbol/demangle.c src/symbol/demangle.h \
	src/symbol/dw_lines.c src/symbol/dw_lines.h \
	src/symbol/dw_scopes.c src/symbol/dw_scopes.h \
	src/symbol/dw_units.c src/symbol/dw_units.h \
	src/symbol/eh_ranges.c src/symbol/eh_ranges.h \
	src/symbol/elf_file.c src/symbol/elf_file.h \
	src/symbol/elf_loaded.c \
	src/symbol/elf_plt.c \
	src/symbol/elf_symbols.c src/symbol/elf_symbols.h \
	src/symbol/image.c src/symbol/image.h \
	src/symbol/maps.c src/symbol/maps.h \
	src/symbol/object.c src/symbol/object.h \
	src/symbol/path.c src/symbol/path.h \
	src/symbol/search.c \
	src/symbol/strings.c src/symbol/strings.h \
	src/symbol/symbolizer.c src/symbol/symbolizer.h \
	$(NULL)
libsymbol_la_CPPFLAGS = $(AM_CPPFLAGS) $(DW_CFLAGS) $(ELF_CFLAGS)
# A product links libbase.la too: a convenience archive holds no other, or a
# shared library would hold it twice.
libsymbol_la_LIBADD = $(DW_LIBS) $(ELF_LIBS) -ldl
EXTRA_libsymbol_la_DEPENDENCIES = $(srcdir)/src/symbol/Local.mk

check_PROGRAMS += tests/symbol_lookup
tests_symbol_lookup_SOURCES = tests/symbol_lookup.c
tests_symbol_lookup_LDADD = libsymbol.la libbase.la

TESTS += tests/symbol-oracle.sh tests/symbol-live.sh
EXTRA_DIST += tests/symbol-oracle.sh tests/symbol-live.sh tests/addr2line.awk

check_PROGRAMS += tests/check_symbol
TESTS += tests/check_symbol
tests_check_symbol_SOURCES = tests/check_symbol.c tests/fixture.h
tests_check_symbol_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_symbol_LDADD = libsymbol.la libbase.la $(CHECK_LIBS)

check_PROGRAMS += tests/check_symbolizer
TESTS += tests/check_symbolizer
tests_check_symbolizer_SOURCES = tests/check_symbolizer.c tests/fixture.h
tests_check_symbolizer_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_symbolizer_LDADD = libsymbol.la libbase.la $(CHECK_LIBS)

check_PROGRAMS += tests/check_object_hostile
TESTS += tests/check_object_hostile
tests_check_object_hostile_SOURCES = tests/check_object_hostile.c \
	tests/fuzz_object.c
tests_check_object_hostile_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_object_hostile_LDADD = libsymbol.la libbase.la $(CHECK_LIBS)
EXTRA_DIST += \
	tests/corpus/object/clang-dwarf5.elf \
	tests/corpus/object/compressed.elf \
	tests/corpus/object/cxx.elf \
	tests/corpus/object/dwz.elf \
	tests/corpus/object/gcc-dwarf4.elf \
	tests/corpus/object/gcc-dwarf5.elf \
	tests/corpus/object/stripped.elf \
	$(NULL)

if FUZZING
noinst_PROGRAMS += tests/fuzz_object
tests_fuzz_object_SOURCES = tests/fuzz_object.c
tests_fuzz_object_LDADD = libsymbol.la libbase.la
tests_fuzz_object_LDFLAGS = -fsanitize=fuzzer,address,undefined
endif

LONG_TESTS += tests/symbol-long.sh
EXTRA_DIST += tests/symbol-long.sh
