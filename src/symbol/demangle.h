/*
 * demangle.h - C++ names for people, through libstdc++'s __cxa_demangle
 * (loaded on first need, so that C programs do not carry it).
 */
#ifndef PROFLAB_SYMBOL_DEMANGLE_H
#define PROFLAB_SYMBOL_DEMANGLE_H

/*
 * The demangled name, in memory that the caller frees, or NULL when name is
 * not a C++ name, libstdc++ is absent, or memory ran out: use the name as it
 * is.
 */
char *demangle_name(const char *name);

#endif
