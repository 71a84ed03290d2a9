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

bool url_read(const char *text, struct url *url)
{
    *url = (struct url){.port = "80"};
    const char *at = strncmp(text, "http://", 7) == 0 ? text + 7 : strncmp(text, "ws://", 5) == 0 ? text + 5 : NULL;
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
