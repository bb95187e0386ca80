# src/report: questions put to a profile, and their answers.
noinst_LTLIBRARIES += libreport.la
libreport_la_SOURCES = \
	src/report/arena.c src/report/arena.h \
	src/report/arith.h \
	src/report/binary.c src/report/binary.h \
	src/report/combine.c src/report/combine.h \
	src/report/context.h \
	src/report/disasm.c src/report/disasm.h \
	src/report/dot_boxes.c \
	src/report/dot_names.c \
	src/report/dot_private.h \
	src/report/export.c src/report/export.h \
	src/report/filter.c src/report/filter.h \
	src/report/flame.c src/report/flame.h \
	src/report/filter_private.h \
	src/report/filter_tags.c \
	src/report/gopath.c src/report/gopath.h \
	src/report/gotime.c src/report/gotime.h \
	src/report/graph.c src/report/graph.h \
	src/report/graph_private.h \
	src/report/graph_sort.c \
	src/report/graph_tags.c \
	src/report/graph_trim.c \
	src/report/grow.c src/report/grow.h \
	src/report/kinds.c \
	src/report/labels.c \
	src/report/measure.c src/report/measure.h \
	src/report/out.c src/report/out.h \
	src/report/proto.c \
	src/report/regex.c src/report/regex.h \
	src/report/report.c src/report/report.h \
	src/report/routine.c src/report/routine.h \
	src/report/shorten.c src/report/shorten.h \
	src/report/source.c src/report/source.h \
	src/report/symbolize.c src/report/symbolize.h \
	src/report/table.c \
	src/report/tabs.c src/report/tabs.h \
	src/report/text_callgrind.c \
	src/report/text_disasm.c \
	src/report/text_dot.c \
	src/report/text_flame.c \
	src/report/text_list.c \
	src/report/text_raw.c \
	src/report/text_tags.c \
	src/report/text_top.c \
	src/report/text_traces.c \
	src/report/text_tree.c \
	src/report/text_weblist.c \
	src/report/view.c src/report/view.h \
	$(NULL)
libreport_la_CPPFLAGS = $(AM_CPPFLAGS) $(PCRE2_CFLAGS)
libreport_la_LIBADD = $(PCRE2_LIBS) -lm

check_PROGRAMS += tests/gen_profile
tests_gen_profile_SOURCES = tests/gen_profile.c
tests_gen_profile_LDADD = libprofile.la libbase.la

# proflab-pprof beside its model.
TESTS += tests/pprof-differential.sh tests/pprof-golden.sh \
	tests/pprof-flame.sh tests/reader.sh
LONG_TESTS += tests/pprof-differential-long.sh
EXTRA_DIST += tests/reader.sh tests/pprof-differential.sh tests/pprof-differential-long.sh \
	tests/pprof-compare.sh tests/pprof-golden.sh \
	tests/pprof-flame.sh \
	tests/corpus/pprof tests/golden/flame tests/golden/pprof
BENCHES += bench/pprof-top.sh
EXTRA_DIST += bench/pprof-top.sh

# A libFuzzer target under --enable-fuzzing; else a program that replays files.
check_PROGRAMS += tests/fuzz_report
TESTS += tests/fuzz-report.sh
EXTRA_DIST += tests/fuzz-report.sh tests/corpus/report
tests_fuzz_report_SOURCES = tests/fuzz_report.c
tests_fuzz_report_LDADD = libreport.la libprofile.la libsymbol.la libbase.la \
	$(PCRE2_LIBS) $(ZLIB_LIBS) $(LIBDW_LIBS) -lm
if FUZZING
tests_fuzz_report_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
else
tests_fuzz_report_SOURCES += tests/fuzz_main.c
endif
