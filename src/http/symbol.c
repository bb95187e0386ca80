/*
 * symbol.c - /debug/pprof/symbol: names for program counters, words between
 * plus signs, from the query of a GET or the body of a POST.
 */
#include "http/request.h"
#include "pprof/pprof.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 4096 }; /* Go reads them through a buffer of this size */

/* Are the underscores where Go allows them: each before a digit and after a
 * digit or the base's prefix? */
static bool underscores_fit(const char *s, size_t n, bool prefixed)
{
	bool after = prefixed;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '_' && (!after || i + 1 == n))
			return false;
		after = s[i] != '_';
	}
	return true;
}

/* Go's ParseUint(s, 0, 64), 0 for what is not a number or does not fit. */
static uint64_t parse_pc(const char *s, size_t n)
{
	unsigned base = 10;
	const char second = n > 1 ? (char)(s[1] | 0x20) : 0;
	bool prefixed = false;
	if (n > 2 && s[0] == '0' && strchr("xob", second)) {
		base = second == 'x' ? 16 : second == 'o' ? 8 : 2;
		s += 2;
		n -= 2;
		prefixed = true;
	} else if (n > 1 && s[0] == '0') {
		base = 8;
		s++;
		n--;
		prefixed = true;
	}
	if (n == 0 || !underscores_fit(s, n, prefixed))
		return 0;
	uint64_t value = 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '_')
			continue;
		const char c = (char)(s[i] | 0x20);
		unsigned digit = base;
		if (s[i] >= '0' && s[i] <= '9')
			digit = (unsigned)(s[i] - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (unsigned)(c - 'a' + 10);
		if (digit >= base ||
		    __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return 0;
	}
	return value;
}

static void append_symbol(struct buf *b, const char *word, size_t n)
{
	char name[1024];
	const uint64_t pc = parse_pc(word, n);
	if (pc && pprof_symbol((uintptr_t)pc, name, sizeof(name)) == 0)
		buf_printf(b, "%#" PRIx64 " %s\n", pc, name);
}

static void write_symbols(struct http_request *r)
{
	struct buf *b = &r->reply.body;
	http_reply_begin(&r->reply, 200, "text/plain; charset=utf-8");
	buf_append_str(b, "num_symbols: 1\n");
	const char *s = buf_str(&r->body), *end = s + r->body.len;
	while (s <= end) {
		const char *stop = memchr(s, '+', (size_t)(end - s));
		if (!stop)
			stop = end;
		if (stop - s >= WORD_MAX) {
			buf_append_str(b, "reading request: bufio: buffer "
					  "full\n");
			return;
		}
		append_symbol(b, s, (size_t)(stop - s));
		s = stop + 1;
	}
}

/*
 * The query as it was: the daemon has taken it apart at '&' and '=', and made
 * blanks of the plus signs.
 */
static enum MHD_Result rejoin(void *arg, enum MHD_ValueKind kind,
			      const char *key, const char *value)
{
	(void)kind;
	struct buf *b = arg;
	const size_t from = b->len;
	if (from)
		buf_append_char(b, '&');
	buf_append_str(b, key);
	if (value) {
		buf_append_char(b, '=');
		buf_append_str(b, value);
	}
	for (size_t i = from; i < b->len; i++)
		if (b->data[i] == ' ')
			b->data[i] = '+';
	return MHD_YES;
}

enum http_next http_symbol(struct http_request *r)
{
	if (!r->post)
		MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND,
					  rejoin, &r->body);
	r->work = write_symbols;
	return HTTP_WRITE;
}
