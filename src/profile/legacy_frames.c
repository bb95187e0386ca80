/*
 * legacy_frames.c - which frames of a legacy profile say nothing: the
 * allocator's, the lock's, the profiler's own.  The formats do not carry
 * drop_frames, so each kind of profile has it here, with the names that
 * google/pprof drops, or reports would differ from its.
 */
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "profile/legacy.h"
#include "profile/private.h"

static const char *const allocation[] = {
	/* libc */
	"calloc", "cfree", "malloc", "free", "memalign", "do_memalign",
	"(__)?posix_memalign", "pvalloc", "valloc", "realloc", "__libc_malloc",
	/* tcmalloc */
	"tcmalloc::.*", "tc_calloc", "tc_cfree", "tc_malloc", "tc_free",
	"tc_memalign", "tc_posix_memalign", "tc_pvalloc", "tc_valloc",
	"tc_realloc", "tc_new", "tc_delete", "tc_newarray", "tc_deletearray",
	"tc_new_nothrow", "tc_newarray_nothrow", "(::)?do_malloc",
	"(::)?do_malloc_pages", "(::)?do_malloc_no_errno",
	"DoSampledAllocation", "MallocedMemBlock::MallocedMemBlock",
	/* macOS */
	"malloc_zone_malloc", "malloc_zone_calloc", "malloc_zone_valloc",
	"malloc_zone_realloc", "malloc_zone_memalign", "malloc_zone_free",
	/* C++ and Go */
	"operator new(\\[\\])?", "__builtin_(vec_)?new",
	"__builtin_(vec_)?delete", "__gnu_cxx::new_allocator::allocate",
	"__malloc_alloc_template::allocate", "simple_alloc::allocate",
	"_M_allocate", "BaseArena::.*", "allocate", "cpp_alloc", "runtime\\..*"
};

/* Go's, in the middle of a stack. */
static const char *const allocation_kept[] = { "runtime\\.panic",
					       "runtime\\.reflectcall",
					       "runtime\\.call[0-9]*" };

static const char *const lock[] = {
	"RecordLockProfileData",
	"(base::)?RecordLockProfileData.*",
	"(base::)?SubmitMutexProfileData.*",
	"(base::)?SubmitSpinLockProfileData.*",
	"(base::Mutex::)?AwaitCommon.*",
	"(base::Mutex::)?Unlock.*",
	"(base::Mutex::)?UnlockSlow.*",
	"(base::Mutex::)?ReaderUnlock.*",
	"(base::MutexLock::)?~MutexLock.*",
	"(Mutex::)?AwaitCommon.*",
	"(Mutex::)?Unlock.*",
	"(Mutex::)?UnlockSlow.*",
	"(Mutex::)?ReaderUnlock.*",
	"(MutexLock::)?~MutexLock.*",
	"(SpinLock::)?Unlock.*",
	"(SpinLock::)?SlowUnlock.*",
	"(SpinLockHolder::)?~SpinLockHolder.*",
};

static const char *const profiler[] = {
	"ProfileData::Add",
	"ProfileData::prof_handler",
	"CpuProfiler::prof_handler",
	"__pthread_sighandler",
	"__restore",
};

struct names {
	const char *const *of;
	size_t n;
};
#define NAMES(array)                                                           \
	{                                                                      \
		array, ARRAY_SIZE(array)                                       \
	}

/* By the first type of a sample; what is none of them is a CPU profile. */
static const struct {
	const char *type;
	struct names drop, keep;
} kinds[] = {
	{ "objects", NAMES(allocation), NAMES(allocation_kept) },
	{ "alloc_objects", NAMES(allocation), NAMES(allocation_kept) },
	{ "contentions", NAMES(lock), { NULL, 0 } },
	{ NULL, NAMES(profiler), { NULL, 0 } },
};

/* One regular expression of them all. */
static int set(struct legacy *l, struct names names, uint32_t *ret_string)
{
	struct buf b = { 0 };
	for (size_t i = 0; i < names.n; i++) {
		if (i)
			buf_append_char(&b, '|');
		buf_append_str(&b, names.of[i]);
	}
	int rc = b.failed;
	if (!rc)
		rc = profile_strings_intern(l->p, buf_str(&b), b.len,
					    ret_string);
	buf_free(&b);
	return rc ? legacy_no_room(l, rc) : 0;
}

int legacy_set_frames(struct legacy *l)
{
	size_t i = 0;
	while (kinds[i].type && profile_sample_type(l->p, kinds[i].type) != 0)
		i++;
	const int rc = set(l, kinds[i].drop, &l->p->drop_frames);
	return rc ? rc : set(l, kinds[i].keep, &l->p->keep_frames);
}
