// Who may ask: the Host and Origin rules that keep other people's web pages out.
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "net/http.h"
#include "net/http_fields.h"

static bool guard_all_digits(const char *text)
{
    return text[strspn(text, "0123456789")] == '\0';
}

// The name without port and brackets. False when it is none.
static bool guard_host_name(const char *host, char *out, size_t cap)
{
    bool bracketed = *host == '[';
    size_t len = bracketed ? strcspn(++host, "]") : strcspn(host, ":");
    if (len == 0 || len >= cap)
        return false;
    memcpy(out, host, len);
    out[len] = '\0';
    const char *rest = host + len;
    if (bracketed && *rest++ != ']')
        return false;
    return *rest == '\0' || (*rest == ':' && guard_all_digits(rest + 1));
}

static bool guard_listed(const char *text, const char *const *allowed)
{
    for (; allowed && *allowed; allowed++)
        if (strcasecmp(text, *allowed) == 0)
            return true;
    return false;
}

bool http_host_allowed(const struct http_request *request, const char *const *allowed)
{
    struct in6_addr address;
    char name[256];
    const char *host = http_header(request, "host");
    if (!host)
        return true;
    if (!guard_host_name(host, name, sizeof name))
        return false;
    if (*host == '[')
        return inet_pton(AF_INET6, name, &address) == 1;
    return inet_pton(AF_INET, name, &address) == 1 || strcasecmp(name, "localhost") == 0 ||
           guard_listed(name, allowed);
}

// A page of this server that came by plain HTTP has no say over what is secure. The other way round it may be a proxy
// that speaks TLS for us.
static bool guard_same_origin(const char *origin, const char *host, bool secure)
{
    const char *authority = strstr(origin, "://");
    if (!authority || !host)
        return false;
    size_t scheme = (size_t)(authority - origin);
    bool web = (scheme == 4 && strncasecmp(origin, "http", 4) == 0 && !secure) ||
               (scheme == 5 && strncasecmp(origin, "https", 5) == 0);
    return web && strcasecmp(authority + 3, host) == 0;
}

bool http_origin_allowed(const struct http_request *request, const char *const *allowed)
{
    const char *origin = http_header(request, "origin");
    if (http_count_headers(request, "origin") > 1)
        return false;
    return !origin || guard_same_origin(origin, http_header(request, "host"), request->secure) ||
           guard_listed(origin, allowed);
}
