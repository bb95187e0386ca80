# src/http: /debug/pprof/ over libmicrohttpd.
noinst_LTLIBRARIES += libpprof-http-core.la
libpprof_http_core_la_SOURCES = \
	src/http/capture.c src/http/capture.h \
	src/http/http.c src/http/pprof_http.h \
	src/http/index.c \
	src/http/listen.c src/http/listen.h \
	src/http/param.c \
	src/http/rates.c \
	src/http/reply.c \
	src/http/request.c src/http/request.h \
	src/http/route.c \
	src/http/symbol.c \
	src/http/thread.c src/http/thread.h \
	src/http/writer.c src/http/writer.h \
	$(NULL)
libpprof_http_core_la_CPPFLAGS = $(AM_CPPFLAGS) $(MHD_CFLAGS)
libpprof_http_core_la_LIBADD = $(MHD_LIBS) $(PTHREAD_LIBS)
