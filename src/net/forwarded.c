#include "net/forwarded.h"

#include <string.h>
#include <strings.h>

enum { FORWARDED_VALUE_BYTES = 80 };

enum forwarded_scheme { SCHEME_UNKNOWN, SCHEME_PLAIN, SCHEME_SECURE };

// One proxy's word on whom it got the request from.
struct forwarded_hop {
    bool known;                  // its address is one
    uint8_t address[PEER_ADDRESS_BYTES];
    enum forwarded_scheme scheme;
};

// What the hops seen so far, nearest to the client first, come down to.
struct forwarded_walk {
    const struct forwarded_proxies *proxies;
    bool begun;                  // a hop has been seen
    struct forwarded_hop hop;    // the last one that is no trusted proxy, else the first
};

bool forwarded_trusts(const struct forwarded_proxies *proxies, const uint8_t address[PEER_ADDRESS_BYTES])
{
    for (int i = 0; i < proxies->count; i++)
        if (peer_in_range(&proxies->ranges[i], address))
            return true;
    return false;
}

static void forwarded_see(struct forwarded_walk *walk, const struct forwarded_hop *hop)
{
    bool stranger = !hop->known || !forwarded_trusts(walk->proxies, hop->address);
    if (stranger || !walk->begun)
        walk->hop = *hop;
    walk->begun = true;
}

static enum forwarded_scheme forwarded_read_scheme(const char *text, size_t len)
{
    static const struct { const char *name; enum forwarded_scheme scheme; } schemes[] = {
        {"http", SCHEME_PLAIN}, {"https", SCHEME_SECURE}, {"ws", SCHEME_PLAIN}, {"wss", SCHEME_SECURE}};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strlen(schemes[i].name) == len && strncasecmp(schemes[i].name, text, len) == 0)
            return schemes[i].scheme;
    return SCHEME_UNKNOWN;
}

static bool forwarded_is_port(const char *text, size_t len)
{
    size_t digits = 0;
    while (digits < len && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    return len >= 1 && len <= 5 && digits == len;
}

// An address with or without a port; IPv6 in brackets, or bare and without a port.
static bool forwarded_read_node(const char *text, size_t len, uint8_t address[PEER_ADDRESS_BYTES])
{
    const char *end = text + len, *colon = memchr(text, ':', len);
    if (len > 0 && *text == '[') {
        const char *close = memchr(text, ']', len);
        if (!close || !memchr(text, ':', (size_t)(close - text)))
            return false;
        bool port = close + 1 < end;
        return peer_read_address(text + 1, (size_t)(close - text) - 1, address) &&
               (!port || (close[1] == ':' && forwarded_is_port(close + 2, (size_t)(end - close) - 2)));
    }
    if (colon && !memchr(colon + 1, ':', (size_t)(end - colon) - 1))
        return forwarded_is_port(colon + 1, (size_t)(end - colon) - 1) &&
               peer_read_address(text, (size_t)(colon - text), address);
    return peer_read_address(text, len, address);
}

// The next item of a list with commas, without the spaces around it; may be empty. False at the end.
static bool forwarded_next_item(const char **at, const char **item, size_t *len)
{
    if (!*at)
        return false;
    *item = *at + strspn(*at, " \t");
    *len = strcspn(*item, ",");
    *at = (*item)[*len] == ',' ? *item + *len + 1 : NULL;
    while (*len > 0 && ((*item)[*len - 1] == ' ' || (*item)[*len - 1] == '\t'))
        --*len;
    return true;
}

static void forwarded_walk_addresses(struct forwarded_walk *walk, const char *value)
{
    const char *item;
    size_t len;
    while (forwarded_next_item(&value, &item, &len)) {
        struct forwarded_hop hop = {0};
        hop.known = forwarded_read_node(item, len, hop.address);
        if (len > 0)
            forwarded_see(walk, &hop);
    }
}

static size_t forwarded_token_len(const char *text)
{
    return strspn(text, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

// A quoted string to what it means; moves *at past it. False when it has no end or is too long.
static bool forwarded_unquote(const char **at, char out[FORWARDED_VALUE_BYTES], size_t *len)
{
    const char *from = *at + 1;
    for (*len = 0; *from && *from != '"'; from++) {
        from += *from == '\\';
        if (*from == '\0' || *len == FORWARDED_VALUE_BYTES)
            return false;
        out[(*len)++] = *from;
    }
    if (*from == '\0')
        return false;
    *at = from + 1;
    return true;
}

// name=value, the value a token or quoted; moves *at past it.   name_len, value, len: out.
static bool forwarded_read_pair(const char **at, size_t *name_len, char value[FORWARDED_VALUE_BYTES], size_t *len)
{
    *name_len = forwarded_token_len(*at);
    if (*name_len == 0 || (*at)[*name_len] != '=')
        return false;
    *at += *name_len + 1;
    if (**at == '"')
        return forwarded_unquote(at, value, len);
    *len = forwarded_token_len(*at);
    if (*len == 0 || *len > FORWARDED_VALUE_BYTES)
        return false;
    memcpy(value, *at, *len);
    *at += *len;
    return true;
}

// Takes one pair into the hop. False when it is malformed.
static bool forwarded_take_pair(const char **at, struct forwarded_hop *hop, bool *named)
{
    char value[FORWARDED_VALUE_BYTES];
    const char *name = *at;
    size_t name_len, len;
    if (!forwarded_read_pair(at, &name_len, value, &len))
        return false;
    if (name_len == 5 && strncasecmp(name, "proto", 5) == 0)
        hop->scheme = forwarded_read_scheme(value, len);
    if (name_len != 3 || strncasecmp(name, "for", 3) != 0)
        return true;
    bool again = *named;
    *named = true;
    hop->known = forwarded_read_node(value, len, hop->address);
    return !again;
}

// One element, up to its comma or the end. False when it is malformed: then *hop is nobody, and what follows cannot be
// told apart either.
static bool forwarded_read_element(const char **at, struct forwarded_hop *hop)
{
    bool named = false, good = true;
    *hop = (struct forwarded_hop){0};
    while (good && **at != ',' && **at != '\0') {
        good = forwarded_take_pair(at, hop, &named);
        *at += strspn(*at, " \t");
        good = good && (**at == ',' || **at == ';' || **at == '\0');
        *at += strspn(*at, "; \t");
    }
    if (!good)
        *hop = (struct forwarded_hop){0};
    return good;
}

static void forwarded_walk_elements(struct forwarded_walk *walk, const char *value)
{
    bool good = true;
    for (value += strspn(value, ",; \t"); good && *value; value += strspn(value, ",; \t")) {
        struct forwarded_hop hop;
        good = forwarded_read_element(&value, &hop);
        forwarded_see(walk, &hop);
    }
}

static struct forwarded_walk forwarded_walk_headers(const struct forwarded_proxies *proxies,
                                                    const struct http_request *request, const char *name,
                                                    void (*one)(struct forwarded_walk *walk, const char *value))
{
    struct forwarded_walk walk = {.proxies = proxies};
    for (int i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, name) == 0)
            one(&walk, request->headers[i].value);
    return walk;
}

// The nearest proxy's word.
static enum forwarded_scheme forwarded_last_scheme(const struct http_request *request)
{
    enum forwarded_scheme scheme = SCHEME_UNKNOWN;
    const char *item;
    size_t len;
    for (int i = 0; i < request->header_count; i++) {
        const char *value = request->headers[i].value;
        if (strcmp(request->headers[i].name, "x-forwarded-proto") == 0)
            while (forwarded_next_item(&value, &item, &len))
                scheme = forwarded_read_scheme(item, len);
    }
    return scheme;
}

static void forwarded_apply_scheme(struct http_request *request, enum forwarded_scheme told)
{
    enum forwarded_scheme also = forwarded_last_scheme(request);
    if (told == SCHEME_UNKNOWN)
        told = also;
    if (told != SCHEME_UNKNOWN && (also == SCHEME_UNKNOWN || also == told))
        request->secure = told == SCHEME_SECURE;
}

void forwarded_apply(const struct forwarded_proxies *proxies, struct http_request *request)
{
    if (!forwarded_trusts(proxies, request->peer.address))
        return;
    struct forwarded_walk walk = forwarded_walk_headers(proxies, request, "forwarded", forwarded_walk_elements);
    struct forwarded_walk other =
        forwarded_walk_headers(proxies, request, "x-forwarded-for", forwarded_walk_addresses);
    bool told = walk.begun || other.begun;
    const struct forwarded_hop *hop = walk.begun ? &walk.hop : &other.hop;
    bool differ = walk.begun && other.begun &&
                  (!other.hop.known || memcmp(hop->address, other.hop.address, sizeof hop->address) != 0);
    if (told && hop->known && !differ)
        request->peer = peer_at(hop->address);
    if (told)
        request->peer.loopback = false;
    if (!told || (hop->known && !differ))
        forwarded_apply_scheme(request, hop->scheme);
}

bool http_is_forwarded(const struct http_request *request)
{
    static const char *const names[] = {"forwarded", "via", "x-forwarded-for", "x-forwarded-proto"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (http_header(request, names[i]))
            return true;
    return false;
}
