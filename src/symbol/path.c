/* path.c - see path.h. */
#include "symbol/path.h"

#include <stdbool.h>
#include <string.h>

/* Append the parts of s to out[0..len); a negative len is "did not fit". */
static long add_parts(char *out, long len, const char *s)
{
	while (len >= 0 && *s) {
		const size_t n = strcspn(s, "/");
		const char *part = s;
		s += n + (s[n] == '/');
		if (n == 0 || (n == 1 && part[0] == '.'))
			continue;
		/* The last part already there, to be taken back by "..". */
		long last = len;
		while (last > 0 && out[last - 1] != '/')
			last--;
		const bool up = n == 2 && part[0] == '.' && part[1] == '.';
		const bool rooted = out[0] == '/' && len > 0;
		const bool is_up = len - last == 2 && out[last] == '.' &&
				   out[last + 1] == '.';
		if (up && last < len && !is_up) {
			len = last > 1 ? last - 1 : rooted ? 1 : 0;
			continue;
		}
		if (up && rooted)
			continue; /* above the root is the root */
		if (len + 1 + (long)n >= PATH_TEXT_MAX)
			return -1;
		if (len > 0 && out[len - 1] != '/')
			out[len++] = '/';
		memcpy(out + len, part, n);
		len += (long)n;
	}
	return len;
}

char *path_normalise(const char *dir, const char *name,
		     char out[static PATH_TEXT_MAX])
{
	long len = 0;
	out[0] = '\0';
	if (!name[0])
		return out;
	const bool absolute = name[0] == '/';
	if (absolute || (dir && dir[0] == '/'))
		out[len++] = '/';
	if (!absolute && dir)
		len = add_parts(out, len, dir);
	if (len >= 0)
		len = add_parts(out, len, name);
	out[len > 0 ? len : 0] = '\0';
	return out;
}
