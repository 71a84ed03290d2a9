#include "stream/subprotocol.h"

#include <string.h>

static enum offer subprotocol_in_list(const char *list, const char *name)
{
    enum offer offer = OFFER_NONE;
    size_t name_len = strlen(name);
    for (const char *at = list; *at;) {
        at += strspn(at, " \t,");
        size_t len = strcspn(at, " \t,");
        if (len == name_len && memcmp(at, name, len) == 0)
            return OFFER_IT;
        if (len > 0)
            offer = OFFER_OTHERS;
        at += len;
    }
    return offer;
}

enum offer subprotocol_offer(const struct http_request *request, const char *name)
{
    enum offer offer = OFFER_NONE;
    for (int i = 0; i < request->header_count && offer != OFFER_IT; i++) {
        if (strcmp(request->headers[i].name, "sec-websocket-protocol") != 0)
            continue;
        enum offer here = subprotocol_in_list(request->headers[i].value, name);
        if (here != OFFER_NONE)
            offer = here;
    }
    return offer;
}
