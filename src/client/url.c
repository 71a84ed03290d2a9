#include "client/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool url_copy(char *out, size_t cap, const char *from, size_t len)
{
    if (len >= cap)
        return false;
    memcpy(out, from, len);
    out[len] = '\0';
    return true;
}

static bool url_port(struct url *url, const char *from, size_t len)
{
    if (len == 0 || strspn(from, "0123456789") < len || !url_copy(url->port, sizeof url->port, from, len))
        return false;
    long port = strtol(url->port, NULL, 10);
    return port >= 1 && port <= 65535;
}

// Returns where the authority begins, NULL: no scheme that is spoken here.
static const char *url_read_scheme(const char *text, struct url *url)
{
    static const struct { const char *prefix; struct url url; } schemes[] = {
        {"http://", {.port = "80"}}, {"ws://", {.port = "80"}},
        {"https://", {.port = "443", .secure = true}}, {"wss://", {.port = "443", .secure = true}}};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t len = strlen(schemes[i].prefix);
        if (strncmp(text, schemes[i].prefix, len) == 0) {
            *url = schemes[i].url;
            return text + len;
        }
    }
    return NULL;
}

bool url_read(const char *text, struct url *url)
{
    const char *at = url_read_scheme(text, url);
    if (!at || at[strcspn(at, " \r\n\t#@")] != '\0')
        return false;
    bool literal = *at == '[';
    at += literal;
    size_t len = strcspn(at, literal ? "]" : ":/?");
    if (len == 0 || !url_copy(url->host, sizeof url->host, at, len))
        return false;
    at += len;
    if (literal && *at++ != ']')
        return false;
    if (*at == ':') {
        size_t digits = strcspn(++at, "/?");
        if (!url_port(url, at, digits))
            return false;
        at += digits;
    }
    return (*at == '\0' || *at == '/') && url_copy(url->target, sizeof url->target, at, strlen(at));
}

void url_host(const struct url *url, char *out)
{
    bool literal = strchr(url->host, ':') != NULL;
    snprintf(out, URL_HOST_BYTES, "%s%s%s:%s", literal ? "[" : "", url->host, literal ? "]" : "", url->port);
}
