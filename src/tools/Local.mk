# src/tools: the programs for people who read and judge profiles.
judge_sources = \
	src/tools/answers.c src/tools/answers.h \
	src/tools/evidence.c src/tools/evidence.h \
	src/tools/evidence_private.h \
	src/tools/evidence_rank.c src/tools/evidence_tally.c \
	src/tools/findings.c src/tools/findings.h \
	src/tools/findings_measure.c src/tools/findings_private.h \
	src/tools/interval.c src/tools/interval.h \
	src/tools/judge.c src/tools/judge.h \
	src/tools/judge_answers.c src/tools/judge_measures.c \
	src/tools/judge_private.h src/tools/judge_series.c \
	src/tools/pattern.c src/tools/pattern.h \
	$(NULL)
noinst_LTLIBRARIES += libjudge.la
libjudge_la_SOURCES = $(judge_sources)
libjudge_la_CPPFLAGS = $(AM_CPPFLAGS) $(PCRE2_CFLAGS) $(JANSSON_CFLAGS)
libjudge_la_LIBADD = $(PCRE2_LIBS) $(JANSSON_LIBS) -lm

bin_PROGRAMS += proflab-check
proflab_check_SOURCES = src/tools/check.c
proflab_check_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
proflab_check_LDADD = libjudge.la libprofile.la libsymbol.la libbase.la \
	$(JANSSON_LIBS)

check_PROGRAMS += tests/check_judge
TESTS += tests/check_judge
tests_check_judge_SOURCES = tests/check_judge.c
tests_check_judge_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_check_judge_LDADD = libjudge.la libprofile.la libbase.la $(JANSSON_LIBS) \
	$(CHECK_LIBS)

bin_PROGRAMS += proflab-pprof
proflab_pprof_SOURCES = \
	src/tools/die.c src/tools/die.h \
	src/tools/reader_commands.c src/tools/reader_commands.h \
	src/tools/reader_config.c src/tools/reader_config.h \
	src/tools/reader_dot.c src/tools/reader_dot.h \
	src/tools/reader_fetch.c src/tools/reader_fetch.h \
	src/tools/reader_flags.c src/tools/reader_flags.h \
	src/tools/reader_gunzip.c src/tools/reader_gunzip.h \
	src/tools/reader_help.c src/tools/reader_help.h \
	src/tools/reader_http.c src/tools/reader_http.h \
	src/tools/reader_line.c src/tools/reader_line.h \
	src/tools/reader_main.c \
	src/tools/reader_number.c src/tools/reader_number.h \
	src/tools/reader_prompt.c src/tools/reader_prompt.h \
	src/tools/reader_temp.c src/tools/reader_temp.h \
	src/tools/reader_url.c src/tools/reader_url.h \
	src/tools/reader_viewer.c src/tools/reader_viewer.h \
	src/tools/reader_web.c src/tools/reader_web.h \
	$(NULL)
proflab_pprof_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(DEFLATE_CFLAGS) \
	$(EDIT_CFLAGS) $(MHD_CFLAGS)
proflab_pprof_LDADD = libweb.la libreport.la libprofile.la libsymbol.la \
	libbase.la $(CURL_LIBS) $(DEFLATE_LIBS) $(EDIT_LIBS) $(MHD_LIBS) -lm

check_PROGRAMS += tests/check_reader_gunzip
tests_check_reader_gunzip_SOURCES = tests/check_reader_gunzip.c \
	tests/testing.h src/tools/reader_gunzip.c
tests_check_reader_gunzip_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	$(DEFLATE_CFLAGS) $(ZLIB_CFLAGS)
tests_check_reader_gunzip_LDADD = libprofile.la libbase.la $(CHECK_LIBS) \
	$(DEFLATE_LIBS) $(ZLIB_LIBS)
TESTS += tests/check_reader_gunzip

check_PROGRAMS += tests/check_reader_number
tests_check_reader_number_SOURCES = tests/check_reader_number.c \
	tests/testing.h src/tools/die.c src/tools/reader_number.c
tests_check_reader_number_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_reader_number_LDADD = libbase.la $(CHECK_LIBS)
TESTS += tests/check_reader_number

growth_sources = \
	src/tools/die.c src/tools/die.h \
	src/tools/growth.c src/tools/growth.h \
	src/tools/growth_chart.c \
	src/tools/growth_private.h \
	src/tools/growth_read.c \
	src/tools/growth_tell.c \
	src/tools/growth_text.c \
	src/tools/spark.c src/tools/spark.h \
	$(NULL)
noinst_LTLIBRARIES += libgrowth.la
libgrowth_la_SOURCES = $(growth_sources)
libgrowth_la_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
libgrowth_la_LIBADD = $(JANSSON_LIBS) -lm

bin_PROGRAMS += proflab-collect
proflab_collect_SOURCES = \
	src/tools/collect.c src/tools/collect.h \
	src/tools/collect_fetch.c src/tools/collect_fetch.h \
	src/tools/collect_files.c \
	src/tools/collect_options.c src/tools/collect_options.h \
	src/tools/collect_report.c \
	src/tools/collect_round.c src/tools/collect_round.h \
	src/tools/collect_store.c src/tools/collect_store.h \
	src/tools/options.c src/tools/options.h \
	$(NULL)
proflab_collect_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS)
proflab_collect_LDADD = libgrowth.la libjudge.la libreport.la libprofile.la \
	libsymbol.la libbase.la $(CURL_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += tests/check_growth
TESTS += tests/check_growth
tests_check_growth_SOURCES = tests/check_growth.c
tests_check_growth_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_check_growth_LDADD = libgrowth.la libjudge.la libreport.la \
	libprofile.la libsymbol.la libbase.la $(JANSSON_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/raw_server
tests_raw_server_SOURCES = tests/raw_server.c
TESTS += tests/collect.sh
LONG_TESTS += tests/collect-long.sh
EXTRA_DIST += tests/collect.sh tests/collect-long.sh

monitor_sources = \
	src/tools/collect_fetch.c src/tools/collect_fetch.h \
	src/tools/collect_options.c src/tools/collect_options.h \
	src/tools/die.c src/tools/die.h \
	src/tools/monitor_options.c src/tools/monitor_options.h \
	src/tools/monitor_scrape.c src/tools/monitor_scrape.h \
	src/tools/monitor_terminal.c src/tools/monitor_terminal.h \
	src/tools/monitor_view.c src/tools/monitor_view.h \
	src/tools/options.c src/tools/options.h \
	src/tools/spark.c src/tools/spark.h \
	$(NULL)
bin_PROGRAMS += proflab-monitor
proflab_monitor_SOURCES = src/tools/monitor.c $(monitor_sources)
proflab_monitor_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
proflab_monitor_LDADD = libbase.la $(CURL_LIBS) -lm

check_PROGRAMS += tests/check_monitor
TESTS += tests/check_monitor tests/monitor.sh
EXTRA_DIST += tests/monitor.sh
tests_check_monitor_SOURCES = tests/check_monitor.c \
	tests/server_process.c tests/server_process.h \
	src/tools/monitor_scrape.c src/tools/monitor_view.c src/tools/spark.c
tests_check_monitor_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_monitor_LDADD = libbase.la $(CHECK_LIBS) -lm

# A libFuzzer target under --enable-fuzzing; else a program that replays files.
check_PROGRAMS += tests/fuzz_metrics
TESTS += tests/fuzz-metrics.sh
EXTRA_DIST += tests/fuzz-metrics.sh tests/corpus/metrics
tests_fuzz_metrics_SOURCES = tests/fuzz_metrics.c src/tools/monitor_scrape.c
tests_fuzz_metrics_LDADD = libbase.la -lm
if FUZZING
tests_fuzz_metrics_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
else
tests_fuzz_metrics_SOURCES += tests/fuzz_main.c
endif
