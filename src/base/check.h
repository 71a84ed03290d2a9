// Our own faults: a broken promise inside the program ends it, in release builds too. Not on the render path.
#pragma once

#define check(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

_Noreturn void check_failed(const char *condition, const char *file, int line);
