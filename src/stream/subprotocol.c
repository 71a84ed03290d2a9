#include "stream/subprotocol.h"

#include <string.h>

enum offer subprotocol_offer(const char *header, const char *name)
{
    enum offer offer = OFFER_NONE;
    size_t name_len = strlen(name);
    for (const char *at = header ? header : ""; *at;) {
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
