# src/server: proflab-server, and proflab-server-fixed from the same sources
# with every workload fixed.
noinst_LTLIBRARIES += libserver.la
libserver_la_SOURCES = \
	src/server/exchange.c src/server/exchange.h \
	src/server/memory_stats.c src/server/memory_stats.h \
	src/server/options.c src/server/options.h \
	src/server/params.c src/server/params.h \
	src/server/pool.c src/server/pool.h \
	src/server/routes.c src/server/routes.h \
	src/server/server.c src/server/server.h \
	src/server/stats.c src/server/stats.h \
	$(NULL)
libserver_la_CPPFLAGS = $(AM_CPPFLAGS) $(MHD_CFLAGS) $(JANSSON_CFLAGS)
libserver_la_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
libserver_la_LIBADD = $(MHD_LIBS) $(JANSSON_LIBS) -lm
