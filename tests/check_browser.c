/*
 * check_browser.c - the profile page in a real browser: Chromium, headless, by
 * WebDriver.  Skipped, visibly, where there is no chromedriver.
 */
#include "tests/browser.h"
#include "tests/testing.h"

int main(void)
{
	enum { TIMEOUT_S = 240 };
	if (!webdriver_available())
		testing_skip_all("there is no chromedriver");
	Suite *s = suite_create("browser");
	TCase *all[] = {
		browser_driver_tests(),
		browser_views_tests(),
		browser_safety_tests(),
		browser_live_tests(),
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		tcase_set_timeout(all[i], TIMEOUT_S);
		suite_add_tcase(s, all[i]);
	}
	return testing_run(s);
}
