# src/load: proflab-load.  What it is made of is an archive, so that tests can
# look at the parts.
noinst_LTLIBRARIES += libload.la
libload_la_SOURCES = \
	src/load/client.c src/load/client.h \
	src/load/histogram.c src/load/histogram.h \
	src/load/options.c src/load/options.h \
	src/load/plan.c src/load/plan.h \
	src/load/report.c src/load/report.h \
	src/load/results.c src/load/results.h \
	src/load/run.c src/load/run.h \
	src/load/scenario.c src/load/scenario.h \
	src/load/schedule.c src/load/schedule.h \
	$(NULL)
libload_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS)
libload_la_LIBADD = $(CURL_LIBS) $(JANSSON_LIBS) -lm

bin_PROGRAMS += proflab-load
proflab_load_SOURCES = src/load/main.c
proflab_load_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
proflab_load_LDADD = libload.la libbase.la

check_PROGRAMS += tests/check_load
TESTS += tests/check_load tests/load.sh
EXTRA_DIST += tests/load.sh
tests_check_load_SOURCES = tests/check_load.c tests/stall_server.h
tests_check_load_CPPFLAGS = \
	$(AM_CPPFLAGS) $(CHECK_CFLAGS) $(MHD_CFLAGS) $(CURL_CFLAGS) \
	$(JANSSON_CFLAGS)
tests_check_load_LDADD = \
	libload.la libbase.la $(MHD_LIBS) $(JANSSON_LIBS) $(CHECK_LIBS)
