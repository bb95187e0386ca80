# src/report: questions put to a profile, and their answers.
noinst_LTLIBRARIES += libreport.la
libreport_la_SOURCES = \
	src/report/arena.c src/report/arena.h \
	src/report/arith.h \
	src/report/context.h \
	src/report/filter.c src/report/filter.h \
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
	src/report/regex.c src/report/regex.h \
	src/report/report.c src/report/report.h \
	src/report/source.c src/report/source.h \
	src/report/table.c \
	src/report/text_list.c \
	src/report/text_raw.c \
	src/report/text_top.c \
	src/report/text_traces.c \
	src/report/text_tree.c \
	src/report/view.c src/report/view.h \
	$(NULL)
libreport_la_CPPFLAGS = $(AM_CPPFLAGS) $(PCRE2_CFLAGS)
libreport_la_LIBADD = $(PCRE2_LIBS) -lm
