// Bounded text writer: appends to a buffer that belongs to the caller, always ends it with a zero, never overflows.
// When something does not fit, nothing of that piece is written and `full` stays set.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct text {
    char *bytes;
    size_t cap;   // bytes in all, the closing zero included
    size_t len;   // bytes written, without the closing zero
    bool full;
};

// `bytes` must outlive the writer; cap >= 1.
struct text text_on(char *bytes, size_t cap);
void text_append(struct text *text, const char *bytes, size_t len);
void text_add(struct text *text, const char *string);
__attribute__((format(printf, 2, 3))) void text_printf(struct text *text, const char *format, ...);
// A JSON string with its quotes and escapes. `string` is UTF-8.
void text_json(struct text *text, const char *string);
