/* browser_driver.c - the driver itself: tests/webdriver.h does what it says. */
#include "tests/browser.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char plain_page[] =
	"data:text/html,<title>plain</title><input id=i><button id=b>press"
	"</button><p id=p>old</p><script>b.onclick=()=>p.textContent=i.value"
	"</script>";

START_TEST(driver_drives)
{
	struct webdriver *d = webdriver_start(800, 600);
	webdriver_open(d, plain_page);
	ck_assert(webdriver_number(d, "innerWidth") == 800);
	ck_assert(!webdriver_bool(
		d, "matchMedia('(prefers-color-scheme: dark)').matches"));
	webdriver_dark(d, true);
	ck_assert(webdriver_bool(
		d, "matchMedia('(prefers-color-scheme: dark)').matches"));
	webdriver_resize(d, 390, 844);
	ck_assert(webdriver_number(d, "innerWidth") == 390);
	webdriver_keys(d, "#i", "new \xc3\xa4");
	webdriver_click(d, "#b");
	char *text = webdriver_text(d, "#p");
	ck_assert_str_eq(text, "new \xc3\xa4");
	free(text);
	text = webdriver_log(d);
	ck_assert_str_eq(text, "");
	free(text);
	webdriver_script(d, "setTimeout(() => { throw Error('on purpose') })");
	webdriver_wait(d, "true");
	text = webdriver_log(d);
	ck_assert_ptr_nonnull(strstr(text, "on purpose"));
	free(text);
	webdriver_stop(d);
}
END_TEST

static int count_of_session(const char *folder)
{
	char path[300], text[8192];
	int count = 0;
	DIR *dir = opendir("/proc");
	const struct dirent *e;
	while (dir && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%.20s/cmdline", e->d_name);
		FILE *f = fopen(path, "r");
		if (!f)
			continue;
		const size_t n = fread(text, 1, sizeof(text), f);
		count += memmem(text, n, folder, strlen(folder)) != NULL;
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return count;
}

/* A test that is killed leaves neither a browser nor a folder. */
START_TEST(driver_leaves_nothing)
{
	char folder[64] = "/tmp/proflab-guard.XXXXXX";
	ck_assert_ptr_nonnull(mkdtemp(folder));
	int ready[2];
	ck_assert_int_eq(pipe(ready), 0);
	const pid_t child = fork();
	if (child == 0) {
		setenv("TMPDIR", folder, 1);
		struct webdriver *d = webdriver_start(400, 300);
		webdriver_open(d, plain_page);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	char c;
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_gt(count_of_session(folder), 2);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	const struct timespec pause_20ms = { .tv_nsec = 20000000 };
	/* rmdir fails until the folder in it has gone. */
	for (int i = 0; rmdir(folder) != 0 && i < 1000; i++)
		nanosleep(&pause_20ms, NULL);
	struct stat st;
	ck_assert_msg(stat(folder, &st) != 0, "%s is still there", folder);
	ck_assert_int_eq(count_of_session(folder), 0);
}
END_TEST

TCase *browser_driver_tests(void)
{
	TCase *t = tcase_create("driver");
	tcase_add_test(t, driver_drives);
	tcase_add_test(t, driver_leaves_nothing);
	return t;
}
