/*
 * reader_dot.h - pictures, by graphviz.
 */
#ifndef PROFLAB_TOOLS_READER_DOT_H
#define PROFLAB_TOOLS_READER_DOT_H

struct buf;
struct err;

/*
 * Replace a graph in graphviz's language by its picture ("svg", "png", ...).
 * Returns: 0; ERR_IO with text where dot is missing or fails.
 */
int dot_draw(struct buf *b, const char *format, struct err *e);

/*
 * Make the SVG that dot drew fill its window, and movable: dragged with the
 * mouse, zoomed with the wheel.  Returns: 0 or ERR_NOMEM.
 */
int dot_make_page(struct buf *b);

#endif
