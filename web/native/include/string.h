#ifndef STRING_H
#define STRING_H
#include <stddef.h>
/* the compiler makes these single instructions */
#define memcpy __builtin_memcpy
#define memset __builtin_memset
#endif
