# src/base: what every other part stands on; libc only.
noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = \
	src/base/attr.h \
	src/base/buf.c src/base/buf.h \
	src/base/clock.c src/base/clock.h \
	src/base/embed.h \
	src/base/err.c src/base/err.h \
	src/base/map.c src/base/map.h \
	src/base/parse.c src/base/parse.h \
	src/base/rng.c src/base/rng.h \
	src/base/sink.c src/base/sink.h \
	$(NULL)
libbase_la_LIBADD = -lm

check_PROGRAMS += tests/check_base
TESTS += tests/check_base
tests_check_base_SOURCES = tests/check_base.c
tests_check_base_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_base_LDADD = libbase.la $(CHECK_LIBS)
# What it embeds (base/embed.h).
tests/check_base-check_base.$(OBJEXT): tests/lib.sh
