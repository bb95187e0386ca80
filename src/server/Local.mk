# src/server: proflab-server, and proflab-server-fixed from the same sources
# with every workload fixed.
noinst_LTLIBRARIES += libserver.la
libserver_la_SOURCES = \
	src/server/dashboard.c src/server/dashboard.h \
	src/server/exchange.c src/server/exchange.h \
	src/server/memory_stats.c src/server/memory_stats.h \
	src/server/metrics.c src/server/metrics.h \
	src/server/metrics_text.c src/server/metrics_text.h \
	src/server/options.c src/server/options.h \
	src/server/params.c src/server/params.h \
	src/server/pool.c src/server/pool.h \
	src/server/routes.c src/server/routes.h \
	src/server/server.c src/server/server.h \
	src/server/stats.c src/server/stats.h \
	$(NULL)
libserver_la_CPPFLAGS = $(AM_CPPFLAGS) $(MHD_CFLAGS) $(JANSSON_CFLAGS) \
	-I$(DYGRAPHS_DIR)
libserver_la_CFLAGS = $(AM_CFLAGS) -fno-optimize-sibling-calls
libserver_la_LIBADD = $(MHD_LIBS) $(JANSSON_LIBS) -lm

dashboard_assets = \
	src/server/dashboard.css \
	src/server/dashboard.html \
	src/server/dashboard.js \
	src/server/dashboard_charts.js \
	src/server/dashboard_metrics.js \
	src/server/dygraphs.notice \
	$(NULL)
EXTRA_DIST += $(dashboard_assets)
# The compiler's own dependencies do not name what it embeds; by a variable,
# for automake has the object's rule itself.
dashboard_object = src/server/libserver_la-dashboard.lo
$(dashboard_object): $(dashboard_assets) \
	$(DYGRAPHS_DIR)/dygraph.min.js $(DYGRAPHS_DIR)/dygraph.min.css

# The bindings are made at start: a lazy one would run the dynamic linker, and
# its frames, inside whatever is profiled.
#
# The shims define the names of others: malloc's not beside a sanitizer's.  A
# name is asked for, since an archive gives nothing that nobody has missed.
server_libs = $(SHIM_LIBS)
server_ldflags = $(AM_LDFLAGS) -Wl,-z,now $(SHIM_EXPORTS)
if !SANITIZED
server_libs += libshim-malloc.la
server_ldflags += -Wl,-u,malloc
endif
server_libs += libserver.la libpprof-http-core.la $(PPROF_UI_LIBS) $(PPROF_LIBS)
bin_PROGRAMS += proflab-server proflab-server-fixed
proflab_server_SOURCES = src/server/main.c
proflab_server_CPPFLAGS = $(AM_CPPFLAGS) -DSERVER_VARIANT='"$(variant)"'
proflab_server_LDFLAGS = $(server_ldflags)
proflab_server_LDADD = $(server_libs) libworkloads.la libbase.la $(PTHREAD_LIBS)
proflab_server_fixed_SOURCES = src/server/main.c
proflab_server_fixed_CPPFLAGS = $(AM_CPPFLAGS) -DSERVER_VARIANT='"fixed"'
proflab_server_fixed_LDFLAGS = $(server_ldflags)
proflab_server_fixed_LDADD = $(server_libs) libworkloads-fixed.la libbase.la \
	$(PTHREAD_LIBS)

check_PROGRAMS += tests/check_server
TESTS += tests/check_server
tests_check_server_SOURCES = \
	tests/check_server.c \
	tests/http_client.c tests/http_client.h \
	tests/server_process.c tests/server_process.h \
	$(NULL)
tests_check_server_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_check_server_LDADD = libserver.la libweb.la libbase.la $(CHECK_LIBS) \
	$(JANSSON_LIBS)

check_PROGRAMS += tests/check_server_limits
TESTS += tests/check_server_limits
tests_check_server_limits_SOURCES = \
	tests/check_server_limits.c \
	tests/http_client.c tests/http_client.h \
	tests/server_process.c tests/server_process.h \
	$(NULL)
tests_check_server_limits_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_server_limits_LDADD = libbase.la $(CHECK_LIBS)

check_PROGRAMS += tests/check_dashboard
LONG_TESTS += tests/dashboard-long.sh
EXTRA_DIST += tests/dashboard-long.sh
tests_check_dashboard_SOURCES = \
	tests/check_dashboard.c \
	tests/http_client.c tests/http_client.h \
	tests/server_process.c tests/server_process.h \
	$(webdriver_sources)
tests_check_dashboard_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	$(JANSSON_CFLAGS) $(CURL_CFLAGS)
tests_check_dashboard_LDADD = libbase.la $(CHECK_LIBS) $(JANSSON_LIBS) \
	$(CURL_LIBS) -lm

# protobuf-c's own code reads what the server wrote.
check_PROGRAMS += tests/check_scrapers
TESTS += tests/check_scrapers
tests_check_scrapers_SOURCES = \
	tests/check_scrapers.c \
	tests/http_client.c tests/http_client.h \
	tests/server_process.c tests/server_process.h \
	$(NULL)
nodist_tests_check_scrapers_SOURCES = \
	src/profile/profile.pb-c.c src/profile/profile.pb-c.h
tests_check_scrapers_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	$(PROTOBUF_C_CFLAGS)
tests_check_scrapers_LDADD = libprofile.la libbase.la $(CHECK_LIBS) \
	$(PROTOBUF_C_LIBS)
tests/check_scrapers-check_scrapers.$(OBJEXT): src/profile/profile.pb-c.h

TESTS += tests/server-go.sh tests/server-metrics.sh
EXTRA_DIST += tests/server-go.sh tests/server-metrics.sh
TESTS += tests/locks-go.sh
EXTRA_DIST += tests/locks-go.sh

LONG_TESTS += tests/tsan-long.sh
EXTRA_DIST += tests/tsan-long.sh
