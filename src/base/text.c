#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

struct text text_on(char *bytes, size_t cap)
{
    check(cap >= 1);
    bytes[0] = '\0';
    return (struct text){.bytes = bytes, .cap = cap};
}

void text_append(struct text *text, const char *bytes, size_t len)
{
    if (text->full || len >= text->cap - text->len) {
        text->full = true;
        return;
    }
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_append(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
    if (text->full)
        return;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text->bytes + text->len, text->cap - text->len, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= text->cap - text->len) {
        text->bytes[text->len] = '\0';
        text->full = true;
        return;
    }
    text->len += (size_t)n;
}

static void text_json_char(struct text *text, unsigned char c)
{
    if (c == '"' || c == '\\')
        text_append(text, (char[]){'\\', (char)c}, 2);
    else if (c == '\n')
        text_append(text, "\\n", 2);
    else if (c < 0x20)
        text_printf(text, "\\u%04x", c);
    else
        text_append(text, (char[]){(char)c}, 1);
}

void text_json(struct text *text, const char *string)
{
    size_t start = text->len;
    text_append(text, "\"", 1);
    for (const char *at = string; *at; at++)
        text_json_char(text, (unsigned char)*at);
    text_append(text, "\"", 1);
    if (text->full) {
        text->len = start;
        text->bytes[start] = '\0';
    }
}
