# src/symbol: a pc's function, file, line and inlined calls.
noinst_LTLIBRARIES += libsymbol.la
libsymbol_la_SOURCES = \
	src/symbol/debug_file.c src/symbol/debug_file.h \
	src/symbol/demangle.c src/symbol/demangle.h \
	src/symbol/dw_lines.c src/symbol/dw_lines.h \
	src/symbol/dw_scopes.c src/symbol/dw_scopes.h \
	src/symbol/dw_units.c src/symbol/dw_units.h \
	src/symbol/elf_file.c src/symbol/elf_file.h \
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
libsymbol_la_LIBADD = libbase.la $(DW_LIBS) $(ELF_LIBS) -ldl

check_PROGRAMS += tests/symbol_lookup
tests_symbol_lookup_SOURCES = tests/symbol_lookup.c
tests_symbol_lookup_LDADD = libsymbol.la libbase.la

TESTS += tests/symbol-oracle.sh
EXTRA_DIST += tests/symbol-oracle.sh
