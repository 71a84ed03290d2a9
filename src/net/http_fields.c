#include "net/http_fields.h"

#include <string.h>
#include <strings.h>

const char *http_header(const struct http_request *request, const char *name)
{
    for (int i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

int http_count_headers(const struct http_request *request, const char *name)
{
    int count = 0;
    for (int i = 0; i < request->header_count; i++)
        count += strcmp(request->headers[i].name, name) == 0;
    return count;
}

static bool http_list_has(const char *list, const char *token)
{
    size_t len = strlen(token);
    for (const char *at = list; *at;) {
        at += strspn(at, " \t,");
        size_t item = strcspn(at, ",");
        size_t used = item;
        while (used > 0 && (at[used - 1] == ' ' || at[used - 1] == '\t'))
            used--;
        if (used == len && strncasecmp(at, token, len) == 0)
            return true;
        at += item;
    }
    return false;
}

bool http_has_token(const struct http_request *request, const char *name, const char *token)
{
    for (int i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, name) == 0 && http_list_has(request->headers[i].value, token))
            return true;
    return false;
}

bool http_is_json(const struct http_request *request)
{
    static const char json[] = "application/json";
    const char *type = http_header(request, "content-type");
    if (!type || strncasecmp(type, json, sizeof json - 1) != 0)
        return false;
    type += sizeof json - 1;
    type += strspn(type, " \t");
    return *type == '\0' || *type == ';';
}
