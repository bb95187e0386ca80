/*
 * fuzz_object.c - any bytes as an ELF file with DWARF: opened, asked for
 * frames all over its text, and closed, without a crash or an endless walk.
 *
 * Under --enable-fuzzing it is linked with libFuzzer; check_symbol links it
 * too, replays the corpus, and feeds it mutations.
 */
#include "symbol/object.h"

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES_MAX = 16, STEPS = 64 };

static void check_frames(struct object *o, uint64_t addr)
{
	struct object_frame f[FRAMES_MAX];
	const size_t n = object_lookup(o, addr, f, FRAMES_MAX);
	if (n > FRAMES_MAX)
		abort();
	for (size_t i = 0; i < n; i++) {
		/* What the contract promises, whatever the file says. */
		if (!f[i].function || !*f[i].function || !f[i].system_name ||
		    !f[i].file || f[i].line < 0 || f[i].start_line < 0)
			abort();
	}
}

/* STEPS addresses in each executable segment that the header still shows. */
static void walk_text(struct object *o, const uint8_t *data, size_t size)
{
	Elf64_Ehdr h;
	if (size < sizeof(h))
		return;
	memcpy(&h, data, sizeof(h));
	for (unsigned i = 0; i < h.e_phnum && i < 16; i++) {
		Elf64_Phdr p;
		const uint64_t at = h.e_phoff + i * sizeof(p);
		if (at > size - sizeof(p) || size < sizeof(p))
			return;
		memcpy(&p, data + at, sizeof(p));
		if (p.p_type != PT_LOAD || !(p.p_flags & PF_X))
			continue;
		for (uint64_t k = 0; k < STEPS; k++)
			check_frames(o, p.p_vaddr + p.p_memsz / STEPS * k);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct object *o;
	if (object_open_memory(data, size, "fuzz", &o, NULL))
		return 0;
	walk_text(o, data, size);
	check_frames(o, 0);
	check_frames(o, UINT64_MAX);
	uint64_t start, length;
	if (!object_find_function(o, "main", &start, &length))
		object_function_range(o, start, &start, &length);
	object_close(o);
	return 0;
}
