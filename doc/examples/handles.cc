/*
 * handles.cc - a profile of one's own, in C++: which code opened what is open
 * now.  At exit it is written, and the heap beside it.
 *
 *	c++ -g -O2 -fno-omit-frame-pointer handles.cc $(pkg-config --cflags --libs pprof-preload) -o handles
 *	./handles
 *	proflab-pprof -top -cum handles.pb.gz
 */
#include <pprof.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#define NAMED __attribute__((noinline))

static pprof_profile *open_handles;

/* A handle is in the profile from its construction to its destruction. */
class Handle {
public:
	NAMED Handle() : buffer(64 << 10)
	{
		/* 1: the stack begins with whoever constructs it. */
		pprof_profile_add(open_handles, this, 1);
	}
	~Handle()
	{
		pprof_profile_remove(open_handles, this);
	}
	Handle(const Handle &) = delete;
	Handle &operator=(const Handle &) = delete;

private:
	std::vector<char> buffer;
};

NAMED static void careful(int request)
{
	auto handle = std::make_unique<Handle>();
	if (request % 3 == 0)
		throw std::runtime_error("refused");
}

/* The fault: where it throws, nobody destroys the handle. */
NAMED static void careless(int request)
{
	auto *handle = new Handle;
	if (request % 3 == 0)
		throw std::runtime_error("refused");
	delete handle;
}

/* ---- at exit --------------------------------------------------------------- */

static int to_file(void *arg, const void *data, size_t len)
{
	FILE *file = static_cast<FILE *>(arg);
	return fwrite(data, 1, len, file) == len ? 0 : PPROF_ERR_IO;
}

static void write_profile(const char *name, const char *path)
{
	FILE *file = fopen(path, "wb");
	if (!file) {
		perror(path);
		return;
	}
	const pprof_writer writer = { to_file, file };
	const int rc = pprof_write_to(pprof_lookup(name), nullptr, &writer);
	if (fclose(file) || rc)
		fprintf(stderr, "%s: %s\n", path, pprof_strerror(rc));
}

static void write_profiles()
{
	write_profile("example.com/handles", "handles.pb.gz");
	write_profile("heap", "heap.pb.gz");
}

int main()
{
	pprof_set_mem_profile_rate(1);
	if (pprof_new_profile("example.com/handles", &open_handles))
		return 1;
	atexit(write_profiles);
	int refused = 0;
	for (int request = 0; request < 300; request++) {
		try {
			careful(request);
			careless(request);
		} catch (const std::runtime_error &) {
			refused++;
		}
		try {
			careless(request + 1);
		} catch (const std::runtime_error &) {
			refused++;
		}
	}
	printf("%d refused, %lld handles open\n", refused,
	       static_cast<long long>(pprof_profile_count(open_handles)));
	return 0;
}
