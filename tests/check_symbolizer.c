/*
 * check_symbolizer.c - a live process naming its own addresses: objects that
 * come and go, files that are replaced or deleted, and no word to the network.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "symbol/symbolizer.h"
#include "tests/fixture.h"
#include "tests/testing.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static struct symbolizer *s;

static void set_up(void)
{
	struct err e = { "" };
	ck_assert_msg(symbolizer_new(&s, &e) == 0, "%s", e.text);
}

static void tear_down(void)
{
	symbolizer_free(s);
}

static const char *name_at(uint64_t addr)
{
	struct symbolizer_result r;
	symbolizer_lookup(s, addr, &r);
	return r.n_frames ? r.frames[r.n_frames - 1].function : "";
}

ON_STACK static uint64_t where_am_i(int *ret_line)
{
	*ret_line = __LINE__ + 1;
	return (uintptr_t)__builtin_return_address(0) - 1;
}

START_TEST(own_code)
{
	int line;
	const uint64_t here = where_am_i(&line);
	struct symbolizer_result r;
	symbolizer_lookup(s, here, &r);
	ck_assert_ptr_nonnull(r.row);
	ck_assert_uint_ge(r.n_frames, 1);
	ck_assert_str_eq(r.frames[0].function, "own_code_fn");
	symbolizer_lookup(s, (uintptr_t)where_am_i, &r);
	ck_assert_str_eq(r.frames[0].function, "where_am_i");
	/* No line is promised where the tests were compiled without any. */
	if (symbolizer_has_lines(s, r.row)) {
		ck_assert_ptr_nonnull(
			strstr(r.frames[0].file, "/tests/check_symbolizer.c"));
		ck_assert_int_eq(r.frames[0].file[0], '/');
		ck_assert_int_ge(r.frames[0].line, line - 4);
		ck_assert_int_le(r.frames[0].line, line);
	}
	ck_assert_str_eq(r.row->path, maps_main(symbolizer_maps(s))->path);
}
END_TEST

START_TEST(everything_else)
{
	/* libc has symbols at least, and so has the vdso. */
	ck_assert_str_ne(name_at((uintptr_t)getauxval), "");
	const uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	const struct maps_row *row = maps_find(symbolizer_maps(s), vdso);
	bool named = !vdso || !row;
	for (uint64_t at = vdso; !named && at < row->limit; at += 16)
		named = strstr(name_at(at), "gettime") != NULL;
	ck_assert_msg(named, "the vdso has no clock_gettime");

	struct symbolizer_result r;
	symbolizer_lookup(s, 0, &r);
	ck_assert(!r.row && !r.frames && !r.n_frames);
	symbolizer_lookup(s, (uintptr_t)&r, &r); /* the stack: not code */
	ck_assert(!r.row && !r.n_frames);

	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_int_eq(symbolizer_refresh(s, NULL), 0);
	symbolizer_lookup(s, (uintptr_t)code, &r);
	ck_assert(r.row && !r.n_frames);
	ck_assert_str_eq(r.row->path, "");
}
END_TEST

START_TEST(answers_are_stable)
{
	struct symbolizer_result a, b;
	symbolizer_lookup(s, (uintptr_t)where_am_i, &a);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(symbolizer_refresh(s, NULL), 0);
		symbolizer_trim(s);
		symbolizer_lookup(s, (uintptr_t)where_am_i, &b);
		ck_assert_ptr_eq(a.row, b.row);
		ck_assert_ptr_eq(a.frames, b.frames);
		/* A new mapping elsewhere changes nothing for this one. */
		ck_assert_ptr_ne(mmap(NULL, 4096, PROT_READ | PROT_EXEC,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
				 MAP_FAILED);
	}
	symbolizer_trim(s);
	symbolizer_lookup(s, (uintptr_t)set_up, &b);
	ck_assert_str_eq(b.frames[b.n_frames - 1].function, "set_up");
}
END_TEST

/*
 * A is unloaded and B mapped at its very address: what was frozen says A,
 * before and after, and B's addresses say B.
 */
START_TEST(unloaded_object)
{
	void *a = dlopen(fixture_path("liba.so"), RTLD_NOW);
	ck_assert_ptr_nonnull(a);
	const uint64_t pc = (uintptr_t)dlsym(a, "a_work") + 1;
	/* It was loaded after the last refresh: freeze sees it all the same. */
	ck_assert_int_eq(symbolizer_freeze(s, &pc, 1), 0);
	struct symbolizer_result frozen;
	symbolizer_lookup(s, pc, &frozen);
	ck_assert_uint_ge(frozen.n_frames, 1);
	ck_assert_str_eq(frozen.frames[frozen.n_frames - 1].function, "a_work");
	dlclose(a);
	ck_assert_str_eq(name_at(pc), "a_work");
	ck_assert_int_eq(symbolizer_refresh(s, NULL), 0);
	ck_assert_ptr_null(maps_find(symbolizer_maps(s), pc));
	ck_assert_str_eq(name_at(pc), "a_work");

	void *b = dlopen(fixture_path("libb.so"), RTLD_NOW);
	ck_assert_ptr_nonnull(b);
	const uint64_t b_pc = (uintptr_t)dlsym(b, "b_work") + 1;
	/* Until a refresh has seen B, nothing there is B's. */
	ck_assert_str_eq(name_at(pc), "a_work");
	ck_assert_int_eq(symbolizer_refresh(s, NULL), 0);
	ck_assert_str_eq(name_at(b_pc), "b_work");
	if (maps_find(symbolizer_maps(s), pc))
		ck_assert_str_ne(name_at(pc), "a_work");
	/* What was handed out stays A's. */
	ck_assert_str_eq(frozen.frames[frozen.n_frames - 1].function, "a_work");
	ck_assert_str_eq(frozen.row->path, fixture_path("liba.so"));
	ck_assert(frozen.row->start <= pc && pc < frozen.row->limit);
	dlclose(b);
}
END_TEST

/* The two are of one layout, and mapped in turn: addresses coincide. */
START_TEST(objects_in_turn)
{
	uint64_t first_pc = 0;
	int same = 0;
	for (int i = 0; i < 200; i++) {
		const bool b = i & 1;
		void *lib = dlopen(fixture_path(b ? "libb.so" : "liba.so"),
				   RTLD_NOW);
		ck_assert_ptr_nonnull(lib);
		const uint64_t pc =
			(uintptr_t)dlsym(lib, b ? "b_work" : "a_work");
		ck_assert_int_eq(symbolizer_refresh(s, NULL), 0);
		ck_assert_str_eq(name_at(pc), b ? "b_work" : "a_work");
		if (!first_pc)
			first_pc = pc;
		same += pc == first_pc;
		dlclose(lib);
	}
	/* Or the test would show nothing. */
	ck_assert_int_gt(same, 100);
}
END_TEST

/* The file at the path is another build now: it is not believed. */
START_TEST(replaced_file)
{
	fixture_run("cp liba.so moving.so");
	void *lib = dlopen(fixture_path("moving.so"), RTLD_NOW);
	ck_assert_ptr_nonnull(lib);
	const uint64_t pc = (uintptr_t)dlsym(lib, "a_work");
	fixture_run("cp libb.so other.so && mv other.so moving.so");
	ck_assert_int_eq(symbolizer_refresh(s, NULL), 0);
	struct symbolizer_result r;
	symbolizer_lookup(s, pc, &r);
	ck_assert_ptr_nonnull(r.row);
	ck_assert_str_eq(r.row->path, fixture_path("moving.so"));
	ck_assert(r.row->deleted);
	/* /proc/self/map_files still has it, for those who may look there. */
	if (r.n_frames)
		ck_assert_str_eq(r.frames[r.n_frames - 1].function, "a_work");
	dlclose(lib);
}
END_TEST

/* Nor may everyone look at map_files: then the loaded symbols are left. */
START_TEST(deleted_file_without_privilege)
{
	fixture_run("cp liba.so gone.so");
	void *lib = dlopen(fixture_path("gone.so"), RTLD_NOW);
	ck_assert_ptr_nonnull(lib);
	const uint64_t pc = (uintptr_t)dlsym(lib, "a_work");
	fixture_run("rm gone.so");
	if (geteuid() == 0) {
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
		ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
	}
	ck_assert_int_eq(symbolizer_refresh(s, NULL), 0);
	struct symbolizer_result r;
	symbolizer_lookup(s, pc + 4, &r);
	ck_assert_uint_eq(r.n_frames, 1);
	ck_assert_str_eq(r.frames[0].function, "a_work");
	ck_assert_str_eq(r.frames[0].file, "");
	ck_assert(!symbolizer_has_lines(s, r.row));
	/* Beyond its end is nothing, or another symbol. */
	ck_assert_str_ne(name_at(pc + 4096), "a_work");
	dlclose(lib);
}
END_TEST

#ifndef PROFLAB_SANITIZED /* whose interceptors stand in front of libc's */
/*
 * A stripped libc has no symbol for the memcpy that runs.  It is named after
 * the function that leads to it, to its last byte.
 */
START_TEST(indirect_functions)
{
	static const char *const all[] = { "memcpy", "memmove", "memset",
					   "strlen", "strchr",	"strcmp",
					   "strcpy", "memchr" };
	symbolizer_set_debug_root(s, "");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		void *code = dlsym(RTLD_DEFAULT, all[i]);
		ck_assert_ptr_nonnull(code);
		for (uint64_t k = 0; k < 12; k++) {
			const char *name = name_at((uintptr_t)code + k);
			ck_assert_msg(dlsym(RTLD_DEFAULT, name) == code,
				      "%s + %d: \"%s\"", all[i], (int)k, name);
		}
	}
	ck_assert_str_eq(name_at((uintptr_t)dlsym(RTLD_DEFAULT, "strchr")),
			 "strchr");
}
END_TEST
#endif

/* Without a build id, the program headers in memory must be the file's. */
START_TEST(replaced_file_without_build_id)
{
	fixture_run("cp plain_a.so plain.so");
	void *lib = dlopen(fixture_path("plain.so"), RTLD_NOW);
	ck_assert_ptr_nonnull(lib);
	const uint64_t pc = (uintptr_t)dlsym(lib, "a_work");
	ck_assert_int_eq(symbolizer_refresh(s, NULL), 0);
	ck_assert_str_eq(name_at(pc), "a_work");
	symbolizer_free(s);
	set_up();
	fixture_run("cp plain_b.so other.so && mv other.so plain.so");
	ck_assert_int_eq(symbolizer_refresh(s, NULL), 0);
	const char *name = name_at(pc);
	ck_assert_msg(!*name || !strcmp(name, "a_work"), "%s", name);
	dlclose(lib);
}
END_TEST

/*
 * A program whose file is gone, or replaced, asks /proc/self/exe.  The copy is
 * run as `check_symbolizer -deleted`, which prints what it finds.
 */
static int run_deleted(void)
{
	if (symbolizer_new(&s, NULL))
		return 1;
	const struct maps_row *row = maps_main(symbolizer_maps(s));
	printf("%s %s\n", name_at((uintptr_t)run_deleted),
	       row && row->deleted ? "deleted" : "there");
	symbolizer_free(s);
	return 0;
}

START_TEST(deleted_program)
{
	char exe[4096] = "", command[8192], line[256] = "";
	ck_assert_int_gt(readlink("/proc/self/exe", exe, sizeof(exe) - 1), 0);
	fixture_run("cp '%s' copy", exe);
	snprintf(command, sizeof(command),
		 "cd '%s' && exec ./copy -deleted \"$PWD/copy\"", fixture_dir);
	FILE *p = popen(command, "r");
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), p));
	pclose(p);
	ck_assert_str_eq(line, "run_deleted deleted\n");
}
END_TEST

/*
 * With DEBUGINFOD_URLS set, a stripped library and one that is unknown to the
 * machine are resolved, and nobody calls at that address.
 */
START_TEST(debuginfod_is_not_asked)
{
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, len), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(at.sin_port));
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_TIMEOUT", "1", 1);
	setenv("HOME", fixture_dir, 1);

	void *lib = dlopen(fixture_path("stripped.so"), RTLD_NOW);
	ck_assert_ptr_nonnull(lib);
	ck_assert_int_eq(symbolizer_refresh(s, NULL), 0);
	ck_assert_str_eq(name_at((uintptr_t)dlsym(lib, "a_work")), "a_work");
	struct object *o;
	const uint8_t id[20] = { 1, 2, 3 };
	ck_assert_int_eq(object_search(NULL, "/nowhere/x.so", id, 20, &o, NULL),
			 ERR_NOTFOUND);

	struct pollfd p = { .fd = fd, .events = POLLIN };
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	/* A call would have been seen. */
	const int caller = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(caller, (struct sockaddr *)&at, sizeof(at)),
			 0);
	ck_assert_int_eq(poll(&p, 1, 4000), 1);
	close(caller);
	close(fd);
	dlclose(lib);
}
END_TEST

#ifndef PROFLAB_SANITIZED /* which keeps freed memory for a while */
/* Memory stays bounded when objects come and go for ever. */
START_TEST(memory_is_bounded)
{
	long first = 0, last = 0;
	for (int i = 0; i < 2000; i++) {
		const bool b = i & 1;
		void *lib = dlopen(fixture_path(b ? "libb.so" : "liba.so"),
				   RTLD_NOW);
		const uint64_t pc =
			(uintptr_t)dlsym(lib, b ? "b_work" : "a_work");
		ck_assert_int_eq(symbolizer_freeze(s, &pc, 1), 0);
		dlclose(lib);
		if (i != 200 && i != 1999)
			continue;
		long pages = 0, resident = 0;
		FILE *f = fopen("/proc/self/statm", "r");
		ck_assert_int_eq(fscanf(f, "%ld %ld", &pages, &resident), 2);
		fclose(f);
		*(i == 200 ? &first : &last) = resident;
	}
	/* 1800 rounds; a page a round would be 1800. */
	ck_assert_int_lt(last - first, 450);
}
END_TEST
#endif

static int count_descriptors(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

START_TEST(no_descriptor_is_kept)
{
	const int before = count_descriptors();
	ck_assert_int_gt(before, 2);
	const struct maps *m = symbolizer_maps(s);
	for (size_t i = 0; i < m->n; i++)
		name_at(m->rows[i].start + 4096);
	ck_assert_str_eq(name_at((uintptr_t)where_am_i), "where_am_i");
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

/* A cached look-up is far under a microsecond, a refresh far under a tick. */
START_TEST(warm_cost)
{
	int64_t best = INT64_MAX, best_refresh = INT64_MAX;
	struct symbolizer_result r;
	for (int try = 0; try < 5; try++) {
		int64_t start = clock_thread_cpu_ns();
		for (int i = 0; i < 100000; i++)
			symbolizer_lookup(s, (uintptr_t)where_am_i + (i & 15),
					  &r);
		int64_t ns = clock_thread_cpu_ns() - start;
		best = ns < best ? ns : best;
		start = clock_thread_cpu_ns();
		for (int i = 0; i < 20; i++)
			symbolizer_refresh(s, NULL);
		ns = clock_thread_cpu_ns() - start;
		best_refresh = ns < best_refresh ? ns : best_refresh;
	}
	ck_assert_msg(best / 100000 < 1000, "%ld ns a look-up",
		      (long)(best / 100000));
	ck_assert_msg(best_refresh / 20 < 4000000, "%ld ns a refresh",
		      (long)(best_refresh / 20));
}
END_TEST

static void make_fixtures(void)
{
	/* Two libraries of one layout; the names alone differ. */
	for (const char *w = "ab"; *w; w++) {
		char name[8], text[256];
		snprintf(name, sizeof(name), "%c.c", *w);
		snprintf(text, sizeof(text),
			 "int %c_work(int n)\n{\n\tint sum = 0;\n"
			 "\twhile (n > 0)\n\t\tsum ^= n-- * 3;\n"
			 "\treturn sum;\n}\n",
			 *w);
		fixture_write(name, text);
		fixture_run("%s -g -O2 -shared -fPIC -Wl,--build-id=sha1 "
			    "-o lib%c.so %c.c",
			    fixture_cc(), *w, *w);
	}
	fixture_run("cp liba.so stripped.so && strip stripped.so");
	fixture_run("%s -g -O2 -shared -fPIC -Wl,--build-id=none "
		    "-o plain_a.so a.c",
		    fixture_cc());
	/* Another program, so another layout. */
	fixture_write("c.c", "int pad[100];\nint c_pad(void) { return 3; }\n"
			     "int a_wrong(int n) { return pad[n] * n; }\n");
	fixture_run("%s -g -O2 -shared -fPIC -Wl,--build-id=none "
		    "-o plain_b.so c.c b.c",
		    fixture_cc());
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-deleted")) {
		unlink(argv[2]);
		return run_deleted();
	}
	fixture_begin();
	make_fixtures();
	Suite *suite = suite_create("symbolizer");
	TCase *live = tcase_create("live");
	tcase_set_timeout(live, 60);
	tcase_add_checked_fixture(live, set_up, tear_down);
	tcase_add_test(live, own_code);
	tcase_add_test(live, everything_else);
	tcase_add_test(live, answers_are_stable);
	tcase_add_test(live, unloaded_object);
	tcase_add_test(live, objects_in_turn);
	tcase_add_test(live, replaced_file);
	tcase_add_test(live, deleted_file_without_privilege);
#ifndef PROFLAB_SANITIZED
	tcase_add_test(live, indirect_functions);
#endif
	tcase_add_test(live, replaced_file_without_build_id);
	tcase_add_test(live, deleted_program);
	tcase_add_test(live, debuginfod_is_not_asked);
#ifndef PROFLAB_SANITIZED
	tcase_add_test(live, memory_is_bounded);
#endif
	tcase_add_test(live, no_descriptor_is_kept);
	tcase_add_test(live, warm_cost);
	suite_add_tcase(suite, live);
	const int status = testing_run(suite);
	fixture_end();
	return status;
}
