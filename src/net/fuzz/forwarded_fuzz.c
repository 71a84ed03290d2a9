// What proxies say about whom they ask for, by hostile clients through trusted proxies. Input: header lines; the first
// byte of each says which header it is.
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "net/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_MAX_BYTES = 4096 };

static const char *fuzz_name(char letter)
{
    return letter == 'f' ? "forwarded" : letter == 'p' ? "x-forwarded-proto" : "x-forwarded-for";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct forwarded_proxies proxies = {.count = 1};
    char lines[FUZZ_MAX_BYTES], *rest = lines, *line;
    struct http_request request = {0};
    uint8_t proxy[PEER_ADDRESS_BYTES];
    if (size == 0 || size >= sizeof lines)
        return 0;
    memcpy(lines, data, size);
    lines[size] = '\0';
    check(peer_read_range("10.0.0.0/8", &proxies.ranges[0]) && peer_read_address("10.1.2.3", 8, proxy));
    request.peer = peer_at(proxy);
    while ((line = strsep(&rest, "\n")) && request.header_count < HTTP_MAX_HEADERS)
        if (*line) {
            request.headers[request.header_count].name = fuzz_name(*line);
            request.headers[request.header_count++].value = line + 1;
        }
    struct http_request before = request;
    forwarded_apply(&proxies, &request);
    check(!request.peer.loopback);
    bool same = memcmp(&before.peer.address, &request.peer.address, sizeof before.peer.address) == 0;
    check(same || http_is_forwarded(&request));
    // Without the proxy's blessing nothing is believed.
    before.peer = request.peer = peer_at((const uint8_t[PEER_ADDRESS_BYTES]){0x20, 1});
    before.secure = request.secure;
    forwarded_apply(&proxies, &request);
    check(memcmp(&before.peer, &request.peer, sizeof before.peer) == 0 && before.secure == request.secure);
    return 0;
}
