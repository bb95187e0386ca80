/* monitor_terminal.c - see monitor_terminal.h. */
#include "tools/monitor_terminal.h"

#include "base/sink.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static bool begun;

static void write_text(const char *text)
{
	terminal_write(text, strlen(text));
}

void terminal_write(const char *data, size_t len)
{
	static int out = STDOUT_FILENO;
	const struct sink sink = sink_fd(&out);
	/* A terminal that has gone sends SIGHUP: that ends us. */
	(void)sink_write(&sink, data, len);
}

void terminal_begin(void)
{
	static bool registered;
	struct termios raw;
	if (begun || tcgetattr(STDIN_FILENO, &saved))
		return;
	raw = saved;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	begun = true;
	if (!registered)
		atexit(terminal_end);
	registered = true;
	write_text("\033[?1049h\033[?25l\033[2J");
}

void terminal_end(void)
{
	if (!begun)
		return;
	begun = false;
	write_text("\033[?25h\033[?1049l");
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
}

void terminal_suspend(void)
{
	terminal_end();
	raise(SIGSTOP);
	terminal_begin();
}

void terminal_size(int *ret_columns, int *ret_rows)
{
	struct winsize w = { 0 };
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
	*ret_columns = w.ws_col ? w.ws_col : 80;
	*ret_rows = w.ws_row ? w.ws_row : 24;
}
