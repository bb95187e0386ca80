/*
 * preload_throw.cc - a C++ program for preload.sh: it throws, and uses every
 * form of operator new and delete; with "replaced", over a pool of its own.
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

struct alignas(64) Wide {
	char c[192];
};

static int failures;

static void expect(bool ok, const char *what)
{
	if (!ok) {
		std::printf("not as it should be: %s\n", what);
		failures++;
	}
}

__attribute__((noinline)) static void thrower(int depth)
{
	std::string s(static_cast<size_t>(depth) * 100 + 1, 'x');
	if (depth == 0)
		throw std::runtime_error(s);
	thrower(depth - 1);
}

static int handled;

static void handler()
{
	handled++;
	std::set_new_handler(nullptr);
}

int main()
{
	for (int i = 0; i < 1000; i++) {
		try {
			thrower(i % 20);
			expect(false, "the throw");
		} catch (const std::runtime_error &e) {
			expect(e.what()[0] == 'x', "what()");
		}
		delete new int(i);
		delete[] new char[i];
		delete new (std::nothrow) long(i);
		delete[] new (std::nothrow) char[i];
		Wide *w = new Wide;
		expect(reinterpret_cast<uintptr_t>(w) % 64 == 0, "aligned new");
		delete w;
		Wide *three = new Wide[3];
		expect(reinterpret_cast<uintptr_t>(three) % 64 == 0,
		       "aligned new[]");
		delete[] three;
		w = new (std::nothrow) Wide;
		expect(w != nullptr, "aligned nothrow new");
		delete w;
		::operator delete(::operator new(100), std::size_t(100));
	}
	volatile size_t huge = SIZE_MAX / 4;
	bool thrown = false;
	std::set_new_handler(handler);
	try {
		::operator delete(::operator new(huge));
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	expect(thrown && handled == 1, "bad_alloc, after the new_handler");
	expect(::operator new(huge, std::nothrow) == nullptr, "nothrow");
	std::printf("%d failures\n", failures);
	return failures ? 1 : 0;
}
