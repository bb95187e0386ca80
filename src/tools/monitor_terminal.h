/*
 * monitor_terminal.h - the terminal while a program draws on all of it, and
 * as it was, afterwards: also after exit() and after Ctrl-Z.
 *
 * One terminal, standard input and output.  Thread: one.
 */
#ifndef PROFLAB_TOOLS_MONITOR_TERMINAL_H
#define PROFLAB_TOOLS_MONITOR_TERMINAL_H

#include <stddef.h>

/* Another screen, no cursor, keys without Enter. */
void terminal_begin(void);
/* As it was.  Does nothing when it is so already. */
void terminal_end(void);
/* Give the terminal back, stop, and take it again when continued. */
void terminal_suspend(void);
/* 80 by 24 where the terminal does not know. */
void terminal_size(int *ret_columns, int *ret_rows);
void terminal_write(const char *data, size_t len);

#endif
