#include "net/percent.h"

static int percent_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// The character at `in`; *used: its bytes. 0 when it is none.
static char percent_char(const char *in, size_t len, size_t *used)
{
    *used = 1;
    if (*in != '%')
        return *in;
    int high = len > 2 ? percent_digit(in[1]) : -1;
    int low = len > 2 ? percent_digit(in[2]) : -1;
    *used = 3;
    return high < 0 || low < 0 ? 0 : (char)(high << 4 | low);
}

bool percent_decode(const char *in, size_t len, bool plus_is_space, char *out, size_t cap)
{
    size_t used;
    for (; len > 0 && cap > 1; in += used, len -= used, cap--) {
        char c = percent_char(in, len, &used);
        if (c == '\0')
            return false;
        *out++ = plus_is_space && *in == '+' ? ' ' : c;
    }
    if (len > 0 || cap == 0)
        return false;
    *out = '\0';
    return true;
}

bool percent_valid(const char *in, size_t len)
{
    size_t used;
    for (; len > 0; in += used, len -= used)
        if (percent_char(in, len, &used) == '\0')
            return false;
    return true;
}
