/*
 * check_symbol.c - paths, C++ names, mappings, and one file at a time.  The
 * thorough comparison with addr2line is symbol-oracle.sh.
 */
#include "base/attr.h"
#include "base/err.h"
#include "symbol/demangle.h"
#include "symbol/maps.h"
#include "symbol/object.h"
#include "symbol/path.h"
#include "symbol/strings.h"
#include "tests/fixture.h"
#include "tests/testing.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- paths
 * ------------------------------------------------------------------- */

static const struct {
	const char *dir, *name, *out;
} paths[] = {
	{ NULL, "/a/b.c", "/a/b.c" },
	{ "/src", "b.c", "/src/b.c" },
	{ "/src", "./b.c", "/src/b.c" },
	{ "/src/x", "../b.c", "/src/b.c" },
	{ "/src", "../../b.c", "/b.c" },
	{ "/src", "/abs/./b.c", "/abs/b.c" },
	{ "/src/", "x//y/../b.c", "/src/x/b.c" },
	{ "/", "b.c", "/b.c" },
	{ NULL, "a/../b.c", "b.c" },
	{ NULL, "../a/../b.c", "../b.c" },
	{ NULL, "../../b.c", "../../b.c" },
	{ ".", "b.c", "b.c" },
	{ "./x", "../../b.c", "../b.c" },
	{ "/src", "", "" },
	{ "/src", "..", "/" },
	{ NULL, "a/..", "" },
	{ "/src", "...", "/src/..." },
	{ "/src", ".hidden", "/src/.hidden" },
};

START_TEST(path_table)
{
	char out[PATH_TEXT_MAX];
	path_normalise(paths[_i].dir, paths[_i].name, out);
	ck_assert_msg(!strcmp(out, paths[_i].out), "%s + %s: \"%s\"",
		      paths[_i].dir ? paths[_i].dir : "(none)", paths[_i].name,
		      out);
}
END_TEST

START_TEST(path_too_long)
{
	char name[2 * PATH_TEXT_MAX], out[PATH_TEXT_MAX];
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_str_eq(path_normalise("/src", name, out), "");
	for (size_t i = 1; i < sizeof(name) - 1; i += 2)
		name[i] = '/';
	ck_assert_str_eq(path_normalise("/src", name, out), "");
}
END_TEST

START_TEST(strings_are_shared)
{
	struct strings t = { 0 };
	const char *kept[1000];
	for (int i = 0; i < 1000; i++) {
		char text[32];
		snprintf(text, sizeof(text), "name %d", i);
		kept[i] = strings_intern(&t, text);
	}
	for (int i = 0; i < 1000; i++) {
		char text[32];
		snprintf(text, sizeof(text), "name %d", i);
		ck_assert_str_eq(kept[i], text);
		ck_assert_ptr_eq(strings_intern(&t, text), kept[i]);
	}
	ck_assert_ptr_nonnull(strings_alloc(&t, 100000));
	ck_assert_ptr_null(strings_alloc(&t, SIZE_MAX));
	strings_free(&t);
}
END_TEST

/* ---- C++ names
 * --------------------------------------------------------------- */

static const struct {
	const char *in, *out; /* NULL = not a name of C++ */
} names[] = {
	{ "_Z3foov", "foo()" },
	{ "_ZN2ns1AC1Ei", "ns::A::A(int)" },
	{ "_ZNSt6vectorIiSaIiEE9push_backERKi",
	  "std::vector<int, std::allocator<int> >::push_back(int const&)" },
	{ "_ZN12_GLOBAL__N_13barEv", "(anonymous namespace)::bar()" },
	{ "_Z3foov.cold", "foo() [clone .cold]" },
	{ "main", NULL },
	{ "i", NULL },
	{ "", NULL },
	{ "_", NULL },
	{ "_Z", NULL },
	{ "_Zxx", NULL },
};

START_TEST(demangle_table)
{
	char *s = demangle_name(names[_i].in);
	if (!names[_i].out)
		ck_assert_msg(!s, "%s: %s", names[_i].in, s);
	else
		ck_assert_msg(s && !strcmp(s, names[_i].out), "%s: %s",
			      names[_i].in, s ? s : "(none)");
	free(s);
}
END_TEST

/* ---- mappings
 * ---------------------------------------------------------------- */

START_TEST(maps_of_this_process)
{
	struct maps m;
	struct err e = { "" };
	ck_assert_msg(maps_read(0, &m, &e) == 0, "%s", e.text);
	ck_assert_uint_gt(m.n, 2);
	for (size_t i = 0; i < m.n; i++) {
		ck_assert_ptr_nonnull(m.rows[i].path);
		ck_assert_uint_lt(m.rows[i].start, m.rows[i].limit);
		if (i)
			ck_assert_uint_le(m.rows[i - 1].limit, m.rows[i].start);
		ck_assert_ptr_eq(maps_find(&m, m.rows[i].start), &m.rows[i]);
		ck_assert_ptr_eq(maps_find(&m, m.rows[i].limit - 1),
				 &m.rows[i]);
		ck_assert_ptr_ne(maps_find(&m, m.rows[i].limit), &m.rows[i]);
	}
	ck_assert_ptr_null(maps_find(&m, 0));
	ck_assert_ptr_null(maps_find(&m, UINT64_MAX));

	char exe[4096] = "";
	ck_assert_int_gt(readlink("/proc/self/exe", exe, sizeof(exe) - 1), 0);
	const struct maps_row *main_row = maps_main(&m);
	ck_assert_ptr_nonnull(main_row);
	ck_assert_str_eq(main_row->path, exe);
	ck_assert(!main_row->deleted);
	ck_assert_ptr_eq(maps_find(&m, (uintptr_t)fixture_begin), main_row);

	const uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	const struct maps_row *vdso_row = maps_find(&m, vdso);
	if (vdso) {
		ck_assert_ptr_nonnull(vdso_row);
		ck_assert_str_eq(vdso_row->path, "[vdso]");
		ck_assert_uint_eq(vdso_row->bias, vdso);
	}
	const struct maps_row *libc = maps_find(&m, (uintptr_t)getauxval);
	ck_assert_ptr_nonnull(libc);
	ck_assert_ptr_nonnull(strstr(libc->path, "/libc.so"));
	maps_free(&m);
	maps_free(NULL);
}
END_TEST

/* The id in memory is the id in the file, and the bias is the loader's. */
START_TEST(maps_build_ids)
{
	struct maps m;
	ck_assert_int_eq(maps_read(0, &m, NULL), 0);
	size_t checked = 0;
	for (size_t i = 0; i < m.n; i++) {
		const struct maps_row *row = &m.rows[i];
		Dl_info info;
		struct object *o;
		if (row->path[0] != '/')
			continue;
		ck_assert(dladdr((void *)(uintptr_t)(row->start + 16), &info));
		ck_assert_uint_eq(row->bias, (uintptr_t)info.dli_fbase);
		ck_assert_int_eq(object_open(row->path, NULL, 0, &o, NULL), 0);
		const uint8_t *id;
		const size_t n = object_build_id(o, &id);
		ck_assert_uint_eq(n, row->build_id_len);
		ck_assert(!memcmp(id, row->build_id, n));
		object_close(o);
		checked += n > 0;
		char hex[2 * MAPS_BUILD_ID_MAX + 1];
		maps_build_id_hex(row, hex);
		ck_assert_uint_eq(strlen(hex), 2 * n);
		ck_assert_uint_eq(strspn(hex, "0123456789abcdef"), 2 * n);
	}
	ck_assert_uint_gt(checked, 1);
	maps_free(&m);
}
END_TEST

/* A child is another process with the same mappings. */
START_TEST(maps_of_another_process)
{
	struct maps own, other;
	ck_assert_int_eq(maps_read(0, &own, NULL), 0);
	const pid_t pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	const int rc = maps_read(pid, &other, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_eq(own.n, other.n);
	for (size_t i = 0; i < own.n; i++) {
		const struct maps_row *a = &own.rows[i], *b = &other.rows[i];
		ck_assert_msg(maps_same_row(a, b),
			      "%s: bias %" PRIx64 " and %" PRIx64, a->path,
			      a->bias, b->bias);
	}
	ck_assert_uint_eq(own.main, other.main);
	maps_free(&own);
	maps_free(&other);
	struct err e = { "" };
	ck_assert_int_eq(maps_read(0x7ffffff0, &other, &e), ERR_IO);
	ck_assert_ptr_nonnull(strstr(e.text, "/maps"));
}
END_TEST

/* Code in anonymous memory, and a file whose name ends in " (deleted)". */
START_TEST(maps_odd_rows)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(code, MAP_FAILED);
	fixture_run("cp liba.so 'liba.so (deleted)' && cp liba.so gone.so && "
		    "cp liba.so 'new\nline.so'");
	void *odd = dlopen(fixture_path("liba.so (deleted)"), RTLD_NOW);
	void *gone = dlopen(fixture_path("gone.so"), RTLD_NOW);
	void *line = dlopen(fixture_path("new\nline.so"), RTLD_NOW);
	ck_assert(odd && gone && line);
	unlink(fixture_path("gone.so"));

	struct maps m;
	ck_assert_int_eq(maps_read(0, &m, NULL), 0);
	const struct maps_row *row = maps_find(&m, (uintptr_t)code);
	ck_assert_ptr_nonnull(row);
	ck_assert_str_eq(row->path, "");
	ck_assert_uint_eq(row->build_id_len, 0);
	ck_assert_uint_eq(row->bias, 0);

	row = maps_find(&m, (uintptr_t)dlsym(odd, "a_work"));
	ck_assert_ptr_nonnull(row);
	ck_assert_str_eq(row->path, fixture_path("liba.so (deleted)"));
	ck_assert(!row->deleted);

	row = maps_find(&m, (uintptr_t)dlsym(gone, "a_work"));
	ck_assert_ptr_nonnull(row);
	ck_assert_str_eq(row->path, fixture_path("gone.so"));
	ck_assert(row->deleted);
	ck_assert_uint_gt(row->build_id_len, 0);

	row = maps_find(&m, (uintptr_t)dlsym(line, "a_work"));
	ck_assert_ptr_nonnull(row);
	ck_assert_str_eq(row->path, fixture_path("new\nline.so"));
	maps_free(&m);
}
END_TEST

/* ---- one file
 * ------------------------------------------------------------------ */

static const struct {
	const char *name;
	int rc;
	const char *text;
} openings[] = {
	{ "liba.so", 0, "" },
	{ "absent", ERR_IO, "No such file" },
	{ ".", ERR_IO, "not a regular file" },
	{ "fifo", ERR_IO, "not a regular file" },
	{ "empty", ERR_FORMAT, "not an ELF file" },
	{ "text.c", ERR_FORMAT, "not an ELF file" },
	{ "a.o", ERR_FORMAT, "not a program or shared library" },
};

START_TEST(open_table)
{
	struct object *o = NULL;
	struct err e = { "" };
	const int rc =
		object_open(fixture_path(openings[_i].name), NULL, 0, &o, &e);
	ck_assert_msg(rc == openings[_i].rc, "%s: %d %s", openings[_i].name, rc,
		      e.text);
	ck_assert_msg(strstr(e.text, openings[_i].text) != NULL, "%s: %s",
		      openings[_i].name, e.text);
	ck_assert_int_eq(rc == 0, o != NULL);
	object_close(o);
}
END_TEST

static struct object *open_fixture(const char *name)
{
	struct object *o = NULL;
	struct err e = { "" };
	ck_assert_msg(!object_open(fixture_path(name), NULL, 0, &o, &e), "%s",
		      e.text);
	return o;
}

START_TEST(build_id_must_match)
{
	struct object *a = open_fixture("liba.so"), *o = NULL;
	const uint8_t *id;
	const size_t n = object_build_id(a, &id);
	ck_assert_uint_eq(n, 20);
	ck_assert_int_eq(object_open(fixture_path("liba.so"), id, n, &o, NULL),
			 0);
	object_close(o);
	o = NULL;
	struct err e = { "" };
	ck_assert_int_eq(object_open(fixture_path("libb.so"), id, n, &o, &e),
			 ERR_NOTFOUND);
	ck_assert_ptr_null(o);
	ck_assert_ptr_nonnull(strstr(e.text, "not the file"));
	object_close(a);
}
END_TEST

/* text.c: a_inner at line 2 is inlined by a_work (line 7) at line 11. */
START_TEST(frames_of_a_function)
{
	struct object *o = open_fixture("liba.so");
	ck_assert(object_has_lines(o));
	uint64_t start, size;
	ck_assert_int_eq(object_find_function(o, "a_work", &start, &size), 0);
	ck_assert_uint_gt(size, 16);
	bool inlined = false, direct = false;
	for (uint64_t at = start; at < start + size; at++) {
		struct object_frame f[4];
		const size_t n = object_lookup(o, at, f, 4);
		ck_assert_uint_ge(n, 1);
		ck_assert_uint_le(n, 2);
		ck_assert_str_eq(f[n - 1].function, "a_work");
		ck_assert_str_eq(f[n - 1].system_name, "a_work");
		ck_assert_int_eq(f[n - 1].start_line, 7);
		ck_assert_str_eq(f[n - 1].file, fixture_path("text.c"));
		if (n == 2) {
			inlined = true;
			ck_assert_str_eq(f[0].function, "a_inner");
			ck_assert_int_eq(f[0].start_line, 2);
			ck_assert(!f[0].line ||
				  (f[0].line >= 2 && f[0].line <= 14));
			ck_assert_int_eq(f[1].line, 11);
			/* With room for one, the function itself stays. */
			ck_assert_uint_eq(object_lookup(o, at, f, 1), 1);
			ck_assert_str_eq(f[0].function, "a_work");
		} else {
			direct = true;
			/* 0: code that clang ascribes to no line. */
			ck_assert(!f[0].line ||
				  (f[0].line >= 7 && f[0].line <= 14));
		}
	}
	ck_assert(inlined && direct);
	struct object_frame f[4];
	ck_assert_uint_eq(object_lookup(o, start, f, 0), 0);
	ck_assert_uint_eq(object_lookup(o, 0, f, 4), 0);
	ck_assert_uint_eq(object_lookup(o, UINT64_MAX, f, 4), 0);
	uint64_t other;
	ck_assert_int_eq(object_function_range(o, start + 5, &other, &size), 0);
	ck_assert_uint_eq(other, start);
	ck_assert_int_eq(object_find_function(o, "absent", &start, &size),
			 ERR_NOTFOUND);
	object_close(o);
}
END_TEST

START_TEST(stripped_has_names_only)
{
	struct object *o = open_fixture("stripped.so");
	ck_assert(!object_has_lines(o));
	uint64_t start, size;
	ck_assert_int_eq(object_find_function(o, "a_work", &start, &size), 0);
	struct object_frame f[4];
	ck_assert_uint_eq(object_lookup(o, start + size - 1, f, 4), 1);
	ck_assert_str_eq(f[0].function, "a_work");
	ck_assert_str_eq(f[0].file, "");
	ck_assert_int_eq(f[0].line, 0);
	/* A local function has lost its name; no neighbour lends it one. */
	struct object *whole = open_fixture("liba.so");
	uint64_t local, local_size;
	ck_assert_int_eq(
		object_find_function(whole, "a_local", &local, &local_size), 0);
	ck_assert_uint_eq(object_lookup(o, local, f, 4), 0);
	ck_assert_uint_eq(object_lookup(o, local + local_size - 1, f, 4), 0);
	object_close(whole);
	object_close(o);
}
END_TEST

START_TEST(separate_debug_file)
{
	struct object *plain = open_fixture("liba.so"), *o = NULL;
	const uint8_t *id;
	const size_t n = object_build_id(plain, &id);
	char dir[64], rest[80] = "";
	snprintf(dir, sizeof(dir), "%02x", id[0]);
	for (size_t i = 1; i < n; i++)
		snprintf(rest + 2 * (i - 1), 3, "%02x", id[i]);
	fixture_run("mkdir -p root/.build-id/%s && objcopy --only-keep-debug "
		    "liba.so root/.build-id/%s/%s.debug",
		    dir, dir, rest);
	const struct object_options opt = { .debug_root =
						    fixture_path("root") };
	ck_assert_int_eq(object_open_with(fixture_path("stripped.so"), &opt, &o,
					  NULL),
			 0);
	ck_assert(object_has_lines(o));
	uint64_t local, size;
	ck_assert_int_eq(object_find_function(o, "a_local", &local, &size), 0);
	struct object_frame f[4];
	ck_assert_uint_ge(object_lookup(o, local, f, 4), 1);
	ck_assert_str_eq(f[0].file, fixture_path("text.c"));
	object_close(o);
	/* Another file under that name is not taken. */
	fixture_run("objcopy --only-keep-debug libb.so "
		    "root/.build-id/%s/%s.debug",
		    dir, rest);
	ck_assert_int_eq(object_open_with(fixture_path("stripped.so"), &opt, &o,
					  NULL),
			 0);
	ck_assert(!object_has_lines(o));
	object_close(o);
	object_close(plain);
	fixture_run("rm -r root");
}
END_TEST

/* Where a profile's reader looks for a file, as `go tool pprof` does. */
START_TEST(search_order)
{
	struct object *a = open_fixture("liba.so"), *o = NULL;
	const uint8_t *id;
	const size_t n = object_build_id(a, &id);
	char hex[80] = "", path[600];
	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	static const struct {
		bool by_id;
		const char *name;
	} places[] = { { true, "renamed" },
		       { true, "prog.so" },
		       { false, "prog.so" },
		       { false, "opt/x/prog.so" } };
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char place[128];
		snprintf(place, sizeof(place), "%s%s%s",
			 places[i].by_id ? hex : "", places[i].by_id ? "/" : "",
			 places[i].name);
		fixture_run("mkdir -p \"$(dirname 'bins/%s')\" && "
			    "cp liba.so 'bins/%s'",
			    place, place);
		snprintf(path, sizeof(path), "/nowhere:%s",
			 fixture_path("bins"));
		struct err e = { "" };
		ck_assert_msg(object_search(path, "/opt/x/prog.so", id, n, &o,
					    &e) == 0,
			      "%s: %s", place, e.text);
		ck_assert_ptr_nonnull(strstr(object_path(o), place));
		object_close(o);
		setenv("PPROF_BINARY_PATH", path, 1);
		ck_assert_int_eq(object_search(NULL, "/opt/x/prog.so", id, n,
					       &o, NULL),
				 0);
		object_close(o);
		/* The name is right, the build id is not. */
		fixture_run("cp libb.so 'bins/%s'", place);
		ck_assert_int_eq(object_search(path, "/opt/x/prog.so", id, n,
					       &o, &e),
				 ERR_NOTFOUND);
		ck_assert_ptr_nonnull(strstr(e.text, hex));
		fixture_run("rm -r bins");
	}
	unsetenv("PPROF_BINARY_PATH");
	setenv("HOME", fixture_path("home"), 1);
	fixture_run("mkdir -p home/pprof/binaries && "
		    "cp liba.so home/pprof/binaries/prog.so");
	ck_assert_int_eq(object_search(NULL, "/opt/x/prog.so", id, n, &o, NULL),
			 0);
	object_close(o);
	fixture_run("rm -r home");
	ck_assert_int_eq(
		object_search("", fixture_path("liba.so"), id, n, &o, NULL), 0);
	object_close(o);
	object_close(a);
}
END_TEST

static const char text_c[] =
	/* line 2 */ "\nstatic inline int a_inner(int x)\n{\n"
		     "\treturn x * x + 3;\n}\n\n"
		     /* line 7 */ "int a_work(int n)\n{\n\tint sum = 0;\n"
		     "\tfor (int i = 0; i < n; i++)\n"
		     /* line 11 */ "\t\tsum ^= a_inner(i + sum);\n"
		     "\treturn sum;\n}\n"
		     "static __attribute__((noinline)) int a_local(int x)\n"
		     "{\n\t__asm__ volatile(\"nop\" : \"+r\"(x));\n"
		     "\treturn x + 1;\n}\n"
		     "int a_other(int x)\n{\n\treturn a_local(x) + 1;\n}\n";

static void make_fixtures(void)
{
	fixture_write("text.c", text_c);
	fixture_write("b.c", "int b_work(int n) { return n + 1; }\n");
	fixture_write("empty", "");
	fixture_run("mkfifo fifo");
	/* Not tied to the host's tuning or to defaults of the distribution. */
	fixture_run("%s -g -O2 -shared -fPIC -fno-tree-vectorize "
		    "-Wl,--build-id=sha1 -o liba.so text.c",
		    fixture_cc());
	fixture_run("%s -g -O2 -shared -fPIC -Wl,--build-id=sha1 "
		    "-o libb.so b.c",
		    fixture_cc());
	fixture_run("%s -g -O2 -fPIC -c -o a.o text.c", fixture_cc());
	fixture_run("cp liba.so stripped.so && strip stripped.so");
}

int main(void)
{
	fixture_begin();
	make_fixtures();
	Suite *suite = suite_create("symbol");
	TCase *pure = tcase_create("pure");
	testing_add_table(pure, path_table, paths);
	tcase_add_test(pure, path_too_long);
	tcase_add_test(pure, strings_are_shared);
	testing_add_table(pure, demangle_table, names);
	suite_add_tcase(suite, pure);

	TCase *maps = tcase_create("maps");
	tcase_set_timeout(maps, 30);
	tcase_add_test(maps, maps_of_this_process);
	tcase_add_test(maps, maps_build_ids);
	tcase_add_test(maps, maps_of_another_process);
	tcase_add_test(maps, maps_odd_rows);
	suite_add_tcase(suite, maps);

	TCase *object = tcase_create("object");
	tcase_set_timeout(object, 60);
	testing_add_table(object, open_table, openings);
	tcase_add_test(object, build_id_must_match);
	tcase_add_test(object, frames_of_a_function);
	tcase_add_test(object, stripped_has_names_only);
	tcase_add_test(object, separate_debug_file);
	tcase_add_test(object, search_order);
	suite_add_tcase(suite, object);

	const int status = testing_run(suite);
	fixture_end();
	return status;
}
