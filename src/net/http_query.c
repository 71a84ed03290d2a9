#include <string.h>

#include "net/http.h"
#include "net/percent.h"

bool http_query(const struct http_request *request, const char *name, char *out, size_t cap)
{
    size_t name_len = strlen(name);
    for (const char *at = request->query; *at;) {
        size_t len = strcspn(at, "&");
        if (len >= name_len && memcmp(at, name, name_len) == 0) {
            if (len == name_len)
                return percent_decode("", 0, true, out, cap);
            if (at[name_len] == '=')
                return percent_decode(at + name_len + 1, len - name_len - 1, true, out, cap);
        }
        at += len + (at[len] == '&');
    }
    return false;
}
