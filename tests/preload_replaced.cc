/*
 * preload_replaced.cc - a C++ program with its own operator new and delete, of
 * the basic form alone: the other forms must come through them, and nothing of
 * its pool may reach free.
 */
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

static char pool[1 << 20];
static std::size_t used;
static long news, deletes;

void *operator new(std::size_t size)
{
	news++;
	/* Volatile: or the compiler sees that it is no block of a heap. */
	static char *volatile start = pool;
	void *p = start + used;
	used += (size + 15) / 16 * 16;
	if (used > sizeof(pool))
		throw std::bad_alloc();
	return p;
}

void operator delete(void *p) noexcept
{
	deletes++;
	if (p && (static_cast<char *>(p) < pool ||
		  static_cast<char *>(p) >= pool + sizeof(pool)))
		std::abort();
}

int main()
{
	for (int i = 0; i < 100; i++) {
		delete new int(i);
		delete[] new char[100];
		delete new (std::nothrow) int(i);
		::operator delete(::operator new(10), std::size_t(10));
		std::string s(200, 'x');
	}
	std::printf("%ld news, %ld deletes\n", news, deletes);
	return news == 500 && deletes == 500 ? 0 : 1;
}
