# src/web: the profile page.

# A real browser for tests (tests/webdriver.h).
webdriver_sources = \
	tests/webdriver.c tests/webdriver.h \
	tests/webdriver_guard.c tests/webdriver_guard.h \
	$(NULL)

check_PROGRAMS += tests/check_browser
LONG_TESTS += tests/check_browser
tests_check_browser_SOURCES = tests/check_browser.c $(webdriver_sources)
tests_check_browser_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	$(JANSSON_CFLAGS) $(CURL_CFLAGS)
tests_check_browser_LDADD = libbase.la $(CHECK_LIBS) $(JANSSON_LIBS) \
	$(CURL_LIBS)
