/*
 * block.h - realloc for blocks that may be very large.
 *
 * A large profile's columns are tens of megabytes that are written once, from
 * one end to the other: with pages of 4 KiB most of the time would go to page
 * faults (decoding 300 thousand samples took 250 ms, 90 with huge pages).  So
 * large blocks ask for huge ones.  Only the part that is written is ever
 * resident.
 */
#ifndef PROFLAB_PROFILE_BLOCK_H
#define PROFLAB_PROFILE_BLOCK_H

#include <stddef.h>

/* As realloc, keeping errno; size > 0.  free() frees it. */
void *block_resize(void *block, size_t size);

#endif
