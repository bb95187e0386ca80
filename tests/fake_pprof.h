/*
 * fake_pprof.h - libpprof's public calls, played: profiles with the counts
 * that the reference server had, captures that are counted, and failures on
 * order.  With it libpprof-http is tested to the byte, and what happens to a
 * capture is an event that can be awaited.
 */
#ifndef PROFLAB_TESTS_FAKE_PPROF_H
#define PROFLAB_TESTS_FAKE_PPROF_H

#include <stdbool.h>

/* Set before the server starts; PPROF_ERR_ codes or 0. */
extern int fake_fail_start, fake_fail_stop, fake_fail_write;

/* Captures open now. */
int fake_running(void);
/* Wait until n are open; false after 20 s. */
bool fake_wait_running(int n);
/* Wait until n have been started in all; false after 20 s. */
bool fake_wait_started(int n);
/* Captures ever written, and never freed. */
int fake_written(void);
int fake_unfreed(void);

#endif
