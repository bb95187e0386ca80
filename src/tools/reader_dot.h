/*
 * reader_dot.h - pictures, by graphviz.
 */
#ifndef PROFLAB_TOOLS_READER_DOT_H
#define PROFLAB_TOOLS_READER_DOT_H

struct buf;
struct err;

/*
 * Replace a graph in graphviz's language by its picture ("svg", "png", ...).
 * Blocks: until dot has ended; it is killed after limit_s seconds (0: never).
 * Returns: 0; ERR_IO with text where dot is missing, fails or takes too long.
 */
int dot_draw(struct buf *b, const char *format, int limit_s, struct err *e);

/*
 * Make the SVG that dot drew fill its window, and movable: dragged with the
 * mouse, zoomed with the wheel.  Returns: 0 or ERR_NOMEM.
 */
int dot_make_page(struct buf *b);

#endif
