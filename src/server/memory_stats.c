/* memory_stats.c - see memory_stats.h. */
#include "server/memory_stats.h"

#include "http/pprof_http.h"
#include "pprof/pprof.h"

#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t memory_stats_threads(void)
{
	char text[1024];
	const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	const ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	/* The program's name, in parentheses, may hold anything: from its end,
	 * num_threads is the 18th word. */
	const char *s = strrchr(text, ')');
	for (int word = 0; s && word < 18; word++) {
		s = strchr(s, ' ');
		if (s)
			s++;
	}
	return s ? strtoull(s, NULL, 10) : 0;
}

void memory_stats_read(struct memory_stats *ret_stats)
{
	const struct mallinfo2 info = mallinfo2();
	struct pprof_http_stats http;
	pprof_http_get_stats(NULL, &http);
	struct memory_stats m = {
		.alloc_bytes = info.uordblks + info.hblkhd,
		.sys_bytes = info.arena + info.hblkhd,
		.num_gc = http.trims,
		.gc_pause_ns = http.trim_last_ns,
		.threads = memory_stats_threads(),
	};
	struct pprof_stat stat;
	for (size_t i = 0; pprof_stat_at(i, &stat); i++) {
		if (strcmp(stat.name, "heap_alloc_bytes_total") == 0)
			m.total_alloc_bytes = (uint64_t)stat.value;
		else if (strcmp(stat.name, "heap_inuse_objects") == 0)
			m.heap_objects = (uint64_t)stat.value;
	}
	/* What is in use was allocated. */
	if (m.total_alloc_bytes < m.alloc_bytes)
		m.total_alloc_bytes = m.alloc_bytes;
	*ret_stats = m;
}

static json_t *mib(uint64_t bytes)
{
	return json_real(round((double)bytes / (1 << 20) * 100) / 100);
}

json_t *memory_stats_json(void)
{
	struct memory_stats m;
	memory_stats_read(&m);
	return json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "alloc_mb",
			 mib(m.alloc_bytes), "total_alloc_mb",
			 mib(m.total_alloc_bytes), "sys_mb", mib(m.sys_bytes),
			 "num_gc", (json_int_t)m.num_gc, "gc_pause_ns",
			 (json_int_t)m.gc_pause_ns, "heap_objects",
			 (json_int_t)m.heap_objects, "goroutines",
			 (json_int_t)m.threads, "threads",
			 (json_int_t)m.threads);
}
