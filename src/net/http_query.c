#include <string.h>

#include "net/http.h"
#include "net/percent.h"

static bool query_value(const char *text, size_t len, char *out, size_t cap)
{
    if (!percent_decode(text, len, true, out, cap))
        out[0] = '\0';
    return true;
}

bool http_query(const struct http_request *request, const char *name, char *out, size_t cap)
{
    size_t name_len = strlen(name);
    for (const char *at = request->query; *at;) {
        size_t len = strcspn(at, "&");
        if (len >= name_len && memcmp(at, name, name_len) == 0) {
            if (len == name_len)
                return query_value("", 0, out, cap);
            if (at[name_len] == '=')
                return query_value(at + name_len + 1, len - name_len - 1, out, cap);
        }
        at += len + (at[len] == '&');
    }
    return false;
}
