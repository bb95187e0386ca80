/*
 * freeze_object.c - a shared object with one function, built twice under two
 * names; nothing else differs, so that both lie at the same addresses.
 */
#include "base/attr.h"

typedef void callback(void);
ON_STACK void FREEZE_NAME(callback *fn);
extern void (*const freeze_entry)(callback *fn);

ON_STACK void FREEZE_NAME(callback *fn)
{
	fn();
	__asm__ __volatile__("");
}

void (*const freeze_entry)(callback *fn) = FREEZE_NAME;
