/*
 * check_custom.c - a custom profile from end to end: values added and removed,
 * windows, texts, and the answer as `go tool pprof` reads it.
 */
#include "pprof/capture.h"
#include "pprof/label.h"
#include "pprof/pprof.h"
#include "pprof/stack_table.h"
#include "tests/testing.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/sink.h"
#include "profile/decode.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct pprof_profile *sessions;
static char values[2000];

/* Not ck_assert: it takes a lock of its own, which a child may not inherit. */
static _Atomic int failures;

ON_STACK static void open_session(int i)
{
	failures += pprof_profile_add(sessions, &values[i], 0) != 0;
}

ON_STACK static void accept_guest(int i)
{
	open_session(i);
	__asm__ __volatile__("");
}

ON_STACK static void accept_member(int i)
{
	open_session(i);
	__asm__ __volatile__("");
}

ON_STACK static void close_session(int i)
{
	failures += pprof_profile_remove(sessions, &values[i]) != 0;
}

static void set_up(void)
{
	ck_assert_int_eq(pprof_new_profile("sessions", &sessions), 0);
}

static void tear_down(void)
{
	ck_assert_int_eq(failures, 0);
}

static int to_buf(void *arg, const void *data, size_t len)
{
	return buf_append(arg, data, len);
}

static struct profile *decode(const struct buf *b)
{
	struct profile *p = NULL;
	failures += profile_decode(b->data, b->len, NULL, &p, NULL) != 0;
	return p;
}

static struct profile *read_now(void)
{
	struct buf b = { 0 };
	const struct pprof_writer w = { to_buf, &b };
	failures += pprof_write_to(sessions, NULL, &w) != 0;
	struct profile *p = decode(&b);
	buf_free(&b);
	return p;
}

/* The values of the samples in whose stack the function is. */
static int64_t total_of(const struct profile *p, const char *function)
{
	int64_t total = 0;
	for (size_t i = 0; i < p->n_samples; i++) {
		bool in = false;
		const struct profile_span s = p->sample_locs[i];
		for (uint32_t j = 0; j < s.count; j++) {
			const struct profile_location *l =
				&p->locations[p->locs[s.first + j]];
			for (uint32_t k = 0; k < l->line_count; k++) {
				const uint32_t f =
					p->lines[l->line_first + k].function;
				in |= !strcmp(profile_str(p,
							  p->functions[f].name),
					      function);
			}
		}
		total += in ? p->values[i] : 0;
	}
	return total;
}

static const struct {
	const char *name;
	int code;
} names[] = {
	{ "a", 0 },
	{ "my.app/open-files_2", 0 },
	{ "0123456789012345678901234567890123456789012345678901234567890123",
	  0 },
	{ "01234567890123456789012345678901234567890123456789012345678901234",
	  PPROF_ERR_INVALID },
	{ "", PPROF_ERR_INVALID },
	{ NULL, PPROF_ERR_INVALID },
	{ "with space", PPROF_ERR_INVALID },
	{ "<script>", PPROF_ERR_INVALID },
	{ "sessions", PPROF_ERR_BUSY },
};

START_TEST(names_are_checked)
{
	struct pprof_profile *p = NULL;
	const int code = pprof_new_profile(names[_i].name, &p);
	ck_assert_msg(code == names[_i].code, "%s: %d",
		      names[_i].name ? names[_i].name : "NULL", code);
	ck_assert((p != NULL) == (code == 0));
	if (p) {
		ck_assert_str_eq(pprof_profile_name(p), names[_i].name);
		ck_assert_ptr_eq(pprof_lookup(names[_i].name), p);
	}
}
END_TEST

START_TEST(values_are_counted_once)
{
	ck_assert_int_eq(pprof_profile_count(sessions), 0);
	for (int i = 0; i < 1000; i++)
		accept_guest(i);
	ck_assert_int_eq(pprof_profile_count(sessions), 1000);
	ck_assert_int_eq(pprof_profile_add(sessions, &values[5], 0),
			 PPROF_ERR_BUSY);
	/* Removal leaves no gap that hides others. */
	for (int i = 0; i < 1000; i += 3)
		close_session(i);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(pprof_profile_remove(sessions, &values[i]),
				 i % 3 == 0 ? PPROF_ERR_NOTFOUND : 0);
	ck_assert_int_eq(pprof_profile_count(sessions), 0);
	ck_assert_int_eq(pprof_profile_add(sessions, &values[0], -1),
			 PPROF_ERR_INVALID);
	ck_assert_int_eq(pprof_profile_add(NULL, &values[0], 0),
			 PPROF_ERR_INVALID);
	/* NULL is a value like any other. */
	ck_assert_int_eq(pprof_profile_add(sessions, NULL, 0), 0);
	ck_assert_int_eq(pprof_profile_remove(sessions, NULL), 0);
}
END_TEST

START_TEST(the_profile_says_who_added)
{
	for (int i = 0; i < 30; i++)
		accept_guest(i);
	for (int i = 30; i < 40; i++)
		accept_member(i);
	for (int i = 0; i < 5; i++)
		close_session(i);
	struct profile *p = read_now();
	ck_assert_uint_eq(p->n_sample_types, 1);
	ck_assert_str_eq(profile_str(p, p->sample_types[0].type), "sessions");
	ck_assert_str_eq(profile_str(p, p->sample_types[0].unit), "count");
	ck_assert_str_eq(profile_str(p, p->period_type.type), "sessions");
	ck_assert_int_eq(p->period, 1);
	ck_assert_int_gt(p->time_nanos, 0);
	ck_assert_int_eq(p->duration_nanos, 0);
	ck_assert_int_eq(total_of(p, "accept_guest"), 25);
	ck_assert_int_eq(total_of(p, "accept_member"), 10);
	ck_assert_int_eq(total_of(p, "open_session"), 35);
	ck_assert_int_eq(total_of(p, "pprof_profile_add"), 0);
	/* Largest first. */
	ck_assert_int_eq(p->values[0], 25);
	profile_free(p);
}
END_TEST

START_TEST(labels_are_on_it)
{
	const struct pprof_label l = { "route", "/cache" };
	ck_assert_int_eq(pprof_set_labels(&l, 1), 0);
	accept_guest(0);
	struct profile *p = read_now();
	ck_assert_uint_eq(p->n_samples, 1);
	ck_assert_uint_eq(p->n_labels, 1);
	ck_assert_str_eq(profile_str(p, p->labels[0].key), "route");
	ck_assert_str_eq(profile_str(p, p->labels[0].str), "/cache");
	profile_free(p);

	struct buf b = { 0 };
	const struct pprof_writer w = { to_buf, &b };
	const struct pprof_write_options o = { .debug = 1 };
	ck_assert_int_eq(pprof_write_to(sessions, &o, &w), 0);
	ck_assert_ptr_nonnull(
		strstr(buf_str(&b), "\n# labels: {\"route\":\"/cache\"}\n#\t"));
	buf_free(&b);
}
END_TEST

START_TEST(a_window_is_what_came_and_went)
{
	for (int i = 0; i < 20; i++)
		accept_guest(i);
	struct pprof_capture *c;
	ck_assert_int_eq(pprof_capture_start("sessions", NULL, &c), 0);
	for (int i = 20; i < 27; i++)
		accept_member(i);
	for (int i = 0; i < 4; i++)
		close_session(i);
	struct profile *p = NULL;
	ck_assert_int_ne(capture_collect(c, &p, NULL), 0); /* open */
	ck_assert_int_eq(pprof_capture_stop(c), 0);
	ck_assert_int_eq(pprof_capture_stop(c), PPROF_ERR_INVALID);
	accept_member(27); /* too late */
	struct buf b = { 0 };
	const struct pprof_writer w = { to_buf, &b };
	ck_assert_int_eq(pprof_capture_write(c, &w), 0);
	pprof_capture_free(c);
	p = decode(&b);
	buf_free(&b);
	ck_assert_int_eq(total_of(p, "accept_member"), 7);
	ck_assert_int_eq(total_of(p, "accept_guest"), -4);
	ck_assert_int_gt(p->duration_nanos, 0);
	profile_free(p);
	pprof_capture_free(NULL);
}
END_TEST

START_TEST(the_text_is_gos)
{
	/* volatile: unrolled, the loop would be three places. */
	for (volatile int i = 0; i < 3; i++)
		accept_guest(i);
	struct buf b = { 0 };
	const struct pprof_writer w = { to_buf, &b };
	const struct pprof_write_options o = { .debug = 1 };
	ck_assert_int_eq(pprof_write_to(sessions, &o, &w), 0);
	const char *text = buf_str(&b);
	ck_assert_ptr_eq(strstr(text, "sessions profile: total 3\n3 @ 0x"),
			 text);
	const char *frame = strstr(text, "\n#\t0x");
	ck_assert_ptr_nonnull(frame);
	/* #\tADDRESS\tNAME+OFFSET\tFILE:LINE, the second one past a call. */
	ck_assert_ptr_nonnull(strstr(frame, "\topen_session+0x"));
	ck_assert_ptr_nonnull(strstr(frame, "\taccept_guest+0x"));
	ck_assert_ptr_nonnull(strstr(frame, "/tests/check_custom.c:"));
	uintptr_t raw, inside;
	ck_assert_int_eq(sscanf(strstr(text, "@ 0x"), "@ 0x%lx", &raw), 1);
	ck_assert_int_eq(sscanf(frame, "\n#\t0x%lx", &inside), 1);
	ck_assert_uint_eq(raw, inside + 1);
	unsigned offset;
	ck_assert_int_eq(sscanf(strstr(frame, "open_session+0x"),
				"open_session+0x%x", &offset),
			 1);
	ck_assert_uint_eq(offset, inside - (uintptr_t)open_session);
	buf_free(&b);
}
END_TEST

START_TEST(the_list_is_sorted)
{
	struct pprof_profile *p;
	ck_assert_int_eq(pprof_new_profile("zz", &p), 0);
	ck_assert_int_eq(pprof_new_profile("aa", &p), 0);
	const char *last = "";
	size_t i = 0;
	for (; (p = pprof_profile_at(i)); i++) {
		ck_assert(strcmp(last, pprof_profile_name(p)) < 0);
		ck_assert(*pprof_profile_description(p));
		ck_assert(pprof_profile_count(p) >= 0);
		last = pprof_profile_name(p);
	}
	ck_assert_uint_ge(i, 3);
	ck_assert_str_eq(last, "zz");
	ck_assert_ptr_null(pprof_lookup("no such"));
	ck_assert_ptr_null(pprof_lookup(NULL));
}
END_TEST

START_TEST(captures_are_refused)
{
	struct pprof_capture *c = NULL;
	ck_assert_int_eq(pprof_capture_start("no such", NULL, &c),
			 PPROF_ERR_NOTFOUND);
	char reason[64] = "";
	struct pprof_capture_options fast = {
		.hz = 10001,
		.reason = reason,
		.reason_size = sizeof(reason),
	};
	ck_assert_int_eq(pprof_capture_start("sessions", &fast, &c),
			 PPROF_ERR_INVALID);
	ck_assert_str_eq(reason, "hz is 10001: must be from 1 to 10000");
	fast.reason_size = 6;
	ck_assert_int_eq(pprof_capture_start("sessions", &fast, &c),
			 PPROF_ERR_INVALID);
	ck_assert_str_eq(reason, "hz is");
	fast.reason = NULL;
	ck_assert_int_eq(pprof_capture_start("sessions", &fast, &c),
			 PPROF_ERR_INVALID);
	ck_assert_int_eq(pprof_capture_start("sessions", NULL, NULL),
			 PPROF_ERR_INVALID);
	ck_assert_ptr_null(c);
	ck_assert_int_eq(pprof_stop_cpu_profile(), PPROF_ERR_NOTFOUND);
	ck_assert_int_eq(pprof_start_cpu_profile(-1), PPROF_ERR_INVALID);
	ck_assert_int_eq(pprof_set_cpu_profile_rate(0), PPROF_ERR_INVALID);
	ck_assert_int_eq(pprof_set_cpu_profile_rate(10001), PPROF_ERR_INVALID);
}
END_TEST

static int refuse(void *arg, const void *data, size_t len)
{
	(void)data;
	(void)len;
	*(int *)arg += 1;
	return PPROF_ERR_IO;
}

START_TEST(a_writers_refusal_is_passed_on)
{
	accept_guest(0);
	int calls = 0;
	const struct pprof_writer w = { refuse, &calls };
	ck_assert_int_eq(pprof_write_to(sessions, NULL, &w), PPROF_ERR_IO);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(pprof_write_to(sessions, NULL, NULL),
			 PPROF_ERR_INVALID);
}
END_TEST

START_TEST(stats_are_there)
{
	struct pprof_stat s;
	bool lost = false, cpu = false;
	profile_free(read_now());
	for (size_t i = 0; pprof_stat_at(i, &s); i++) {
		lost |= !strcmp(s.name, "lost_samples_total") &&
			!strcmp(s.label, "table_full") && s.value == 0;
		cpu |= !strcmp(s.name, "cpu_seconds_total") && s.value > 0;
		ck_assert_uint_lt(i, 1000);
	}
	ck_assert(lost && cpu);
}
END_TEST

START_TEST(a_symbol_is_found)
{
	char name[64];
	ck_assert_int_eq(pprof_symbol((uintptr_t)open_session + 1, name,
				      sizeof(name)),
			 0);
	ck_assert_str_eq(name, "open_session");
	ck_assert_int_eq(pprof_symbol(1, name, sizeof(name)),
			 PPROF_ERR_NOTFOUND);
}
END_TEST

/* ---- threads, and a fork in the middle
 * ----------------------------------------- */

static _Atomic bool over;

static void *come_and_go(void *arg)
{
	const int base = (int)(intptr_t)arg;
	for (int round = 0; !over; round++) {
		for (int i = 0; i < 100; i++)
			accept_member(base + i);
		for (int i = 0; i < 100; i++)
			close_session(base + i);
	}
	return NULL;
}

START_TEST(threads_and_forks)
{
	pthread_t threads[3];
	for (intptr_t i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, come_and_go,
			       (void *)(i * 100));
	for (int i = 0; i < 10; i++) {
		profile_free(read_now());
		const pid_t child = fork();
		if (child == 0) {
			/* The child can use what it inherited. */
			const int64_t before = pprof_profile_count(sessions);
			accept_guest(1000);
			struct profile *p = read_now();
			const bool good =
				pprof_profile_count(sessions) == before + 1 &&
				total_of(p, "accept_guest") == 1;
			_exit(good && failures == 0 ? 0 : 1);
		}
		int status;
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
	}
	over = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(pprof_profile_count(sessions), 0);
	struct profile *p = read_now();
	ck_assert_uint_eq(p->n_samples, 0);
	profile_free(p);
}
END_TEST

/* ---- the judge
 * ------------------------------------------------------------------- */

static void write_file(const char *path, struct pprof_profile *profile,
		       int debug)
{
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	struct buf b = { 0 };
	const struct pprof_writer w = { to_buf, &b };
	const struct pprof_write_options o = { .debug = debug };
	ck_assert_int_eq(pprof_write_to(profile, &o, &w), 0);
	ck_assert_uint_eq(fwrite(b.data, 1, b.len, f), b.len);
	fclose(f);
	buf_free(&b);
}

static void run(struct buf *out, const char *command)
{
	FILE *p = popen(command, "r");
	ck_assert_ptr_nonnull(p);
	char line[512];
	while (fgets(line, sizeof(line), p))
		buf_append_str(out, line);
	ck_assert_msg(pclose(p) == 0, "%s: %s", command, buf_str(out));
}

START_TEST(go_reads_it)
{
	for (int i = 0; i < 30; i++)
		accept_guest(i);
	for (int i = 30; i < 40; i++)
		accept_member(i);
	char dir[] = "/tmp/proflab-custom.XXXXXX";
	ck_assert_ptr_nonnull(mkdtemp(dir));
	char path[64], command[512];
	snprintf(path, sizeof(path), "%s/p", dir);
	write_file(path, sessions, _i);
	snprintf(command, sizeof(command),
		 "cd %s && HOME=%s PPROF_TMPDIR=%s %s tool pprof -top "
		 "-cum %s 2>&1",
		 dir, dir, dir, testing_judge("GO"), path);
	struct buf out = { 0 };
	run(&out, command);
	unlink(path);
	rmdir(dir);
	/* flat flat% sum% cum cum% name; the text has no names in it, and go
	 * resolves nothing without the program. */
	if (_i == 0) {
		ck_assert_msg(strstr(buf_str(&out), " 30 75.00%  accept_guest"),
			      "%s", buf_str(&out));
		ck_assert_msg(strstr(buf_str(&out),
				     " 10 25.00%  accept_member"),
			      "%s", buf_str(&out));
	}
	ck_assert_msg(strstr(buf_str(&out), "Type: sessions"), "%s",
		      buf_str(&out));
	ck_assert_msg(strstr(buf_str(&out), "100% of 40 total"), "%s",
		      buf_str(&out));
	buf_free(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("custom");
	TCase *tc = tcase_create("custom");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	testing_add_table(tc, names_are_checked, names);
	tcase_add_test(tc, values_are_counted_once);
	tcase_add_test(tc, the_profile_says_who_added);
	tcase_add_test(tc, labels_are_on_it);
	tcase_add_test(tc, a_window_is_what_came_and_went);
	tcase_add_test(tc, the_text_is_gos);
	tcase_add_test(tc, the_list_is_sorted);
	tcase_add_test(tc, captures_are_refused);
	tcase_add_test(tc, a_writers_refusal_is_passed_on);
	tcase_add_test(tc, stats_are_there);
	tcase_add_test(tc, a_symbol_is_found);
	tcase_add_test(tc, threads_and_forks);
	suite_add_tcase(suite, tc);
	TCase *judged = tcase_create("judged");
	tcase_set_timeout(judged, 60);
	tcase_add_checked_fixture(judged, set_up, tear_down);
	tcase_add_loop_test(judged, go_reads_it, 0, 2);
	const char *require = getenv("REQUIRE_JUDGES");
	if (*testing_judge("GO") || (require && *require == '1'))
		suite_add_tcase(suite, judged);
	else
		printf("# SKIP go_reads_it: no go tool pprof\n");
	return testing_run(suite);
}
