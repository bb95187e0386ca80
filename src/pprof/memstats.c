/* memstats.c - see memstats.h. */
#include "pprof/memstats.h"

#include "base/buf.h"
#include "base/err.h"
#include "pprof/heap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A line of /proc/thread-self/status, in bytes; 0 when it is not there. */
static int64_t status_field(const char *status, const char *name)
{
	const char *at = strstr(status, name);
	long long kib = 0;
	if (!at)
		return 0;
	for (at += strlen(name); *at == ':' || *at == '\t' || *at == ' '; at++)
		;
	for (; *at >= '0' && *at <= '9'; at++)
		kib = kib * 10 + (*at - '0');
	return kib * 1024;
}

static void read_status(char *text, size_t size)
{
	const int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
}

int memstats_write(const struct sink *sink)
{
	char status[4096];
	read_status(status, sizeof(status));
	const struct heap_totals heap = heap_totals_now();
	const struct mallinfo2 info = mallinfo2();
	struct rusage usage = { 0 };
	getrusage(RUSAGE_SELF, &usage);
	const struct {
		const char *name;
		int64_t value;
	} rows[] = {
		{ "Alloc", heap.inuse_bytes },
		{ "TotalAlloc", heap.alloc_bytes },
		{ "Sys", status_field(status, "VmRSS") },
		{ "Mallocs", heap.alloc_objects },
		{ "Frees", heap.alloc_objects - heap.inuse_objects },
		{ "HeapAlloc", heap.inuse_bytes },
		{ "HeapSys", (int64_t)(info.arena + info.hblkhd) },
		{ "HeapIdle", (int64_t)info.fordblks },
		{ "HeapInuse", (int64_t)(info.uordblks + info.hblkhd) },
		{ "HeapObjects", heap.inuse_objects },
		{ "Stack", status_field(status, "VmStk") },
		{ "VmSize", status_field(status, "VmSize") },
		{ "MaxRSS", (int64_t)usage.ru_maxrss * 1024 },
	};
	struct buf out = { .cap = 8192 };
	buf_append_str(&out, "\n# runtime.MemStats\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		buf_printf(&out, "# %s = %" PRId64 "\n", rows[i].name,
			   rows[i].value);
	const int code =
		out.failed ? out.failed : sink_write(sink, out.data, out.len);
	buf_free(&out);
	return code;
}
