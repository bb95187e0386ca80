# src/web: the profile page, its assets and the answers that it asks for.
noinst_LTLIBRARIES += libweb.la
libweb_la_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(NETTLE_CFLAGS)
libweb_la_LIBADD = $(JANSSON_LIBS) $(NETTLE_LIBS)
libweb_la_SOURCES = \
	src/web/csp.c src/web/csp.h \
	src/web/explain.c src/web/explain.h \
	src/web/webjson.c src/web/webjson.h \
	src/web/flame_send.c \
	src/web/page.c \
	src/web/subject.c src/web/subject.h \
	src/web/view_flame.c \
	src/web/view_graph.c \
	src/web/view_meta.c \
	src/web/view_peek.c \
	src/web/view_source.c \
	src/web/view_top.c \
	src/web/web.h \
	$(NULL)
web_assets = \
	src/web/page.html \
	src/web/page.css \
	src/web/base.js \
	src/web/views.js \
	src/web/flame.js \
	src/web/graph.js \
	src/web/source.js \
	src/web/live.js \
	src/web/main.js \
	$(NULL)
EXTRA_DIST += $(web_assets) tests/corpus/web/dir/file.c
# The compiler's own dependencies do not name what it embeds; by a variable,
# for automake has the object's rule itself.
page_object = src/web/libweb_la-page.lo
$(page_object): $(web_assets)

check_PROGRAMS += tests/check_web
TESTS += tests/check_web
tests_check_web_SOURCES = \
	tests/check_web.c \
	tests/web_fixture.c tests/web_fixture.h \
	$(profile_test_sources)
tests_check_web_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_check_web_LDADD = libweb.la libreport.la libprofile.la libsymbol.la \
	libbase.la $(CHECK_LIBS) $(JANSSON_LIBS) $(PTHREAD_LIBS) -lm

TESTS += tests/pprof-web.sh
EXTRA_DIST += tests/pprof-web.sh

# A real browser for tests (tests/webdriver.h).
webdriver_sources = \
	tests/webdriver.c tests/webdriver.h \
	tests/webdriver_guard.c tests/webdriver_guard.h \
	$(NULL)

check_PROGRAMS += tests/check_browser
LONG_TESTS += tests/browser-long.sh
EXTRA_DIST += tests/browser-long.sh
tests_check_browser_SOURCES = \
	tests/check_browser.c \
	tests/browser.c tests/browser.h \
	tests/browser_driver.c \
	tests/browser_live.c \
	tests/browser_safety.c \
	tests/browser_views.c \
	tests/server_process.c tests/server_process.h \
	tests/web_fixture.c tests/web_fixture.h \
	$(webdriver_sources)
tests_check_browser_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	$(JANSSON_CFLAGS) $(CURL_CFLAGS)
tests_check_browser_LDADD = libprofile.la libbase.la $(CHECK_LIBS) \
	$(JANSSON_LIBS) $(CURL_LIBS)
