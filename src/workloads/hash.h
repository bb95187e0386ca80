/*
 * hash.h - uthash, as the workloads use it: a lack of memory is an answer, not
 * the end of the process.
 *
 * Every struct that goes into a hash has a member `bool lost`, false at first.
 * When HASH_ADD finds no memory, it does not add the element and sets it.
 */
#ifndef PROFLAB_WORKLOADS_HASH_H
#define PROFLAB_WORKLOADS_HASH_H

#include <stdbool.h>

#define HASH_NONFATAL_OOM	     1
#define uthash_nonfatal_oom(element) ((void)((element)->lost = true))
#include <uthash.h>

#endif
