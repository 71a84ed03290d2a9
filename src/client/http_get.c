#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/address.h"
#include "client/channel.h"
#include "client/client.h"
#include "client/upgrade.h"
#include "client/url.h"

enum { GET_SILENCE_S = 10, GET_MAX_BYTES = 256 << 20 };

static int get_connect(const struct url *url)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    const struct addrinfo *taken;
    if (getaddrinfo(url->host, url->port, &hints, &found) != 0)
        return -1;
    int fd = address_connect(found, GET_SILENCE_S, &taken);
    freeaddrinfo(found);
    return fd;
}

static enum status get_read_all(const struct channel *channel, char **bytes, size_t *len)
{
    size_t cap = 0;
    for (;;) {
        if (*len + 1 >= cap) {
            cap = cap ? cap * 2 : 16384;
            char *grown = cap <= GET_MAX_BYTES ? realloc(*bytes, cap) : NULL;
            if (!grown)
                return STATUS_MEMORY;
            *bytes = grown;
        }
        ssize_t got = channel_receive(channel, *bytes + *len, cap - 1 - *len);
        if (got < 0)
            return errno == EAGAIN ? STATUS_TIMEOUT : STATUS_CLOSED;
        *len += (size_t)got;
        (*bytes)[*len] = '\0';
        if (got == 0)
            return STATUS_OK;
    }
}

// Leaves the body alone in *bytes.
static enum status get_cut_head(char *bytes, size_t *len, int *http_status)
{
    char value[32];
    char *end = strstr(bytes, "\r\n\r\n");
    if (!end)
        return STATUS_DAMAGED;
    char first = end[4];
    size_t head_len = (size_t)(end - bytes) + 4;
    end[4] = '\0';
    *http_status = upgrade_status(bytes);
    bool coded = upgrade_header(bytes, "Transfer-Encoding", value, sizeof value);
    bool told = upgrade_header(bytes, "Content-Length", value, sizeof value);
    end[4] = first;
    memmove(bytes, bytes + head_len, *len - head_len + 1);
    *len -= head_len;
    if (coded)
        return STATUS_UNSUPPORTED;
    return *http_status == 0 || (told && strtoull(value, NULL, 10) != *len) ? STATUS_DAMAGED : STATUS_OK;
}

static enum status get_exchange(const struct channel *channel, const struct text *request, int *http_status,
                                char **body, size_t *len)
{
    if (channel_send(channel, request->bytes, request->len) != (ssize_t)request->len)
        return STATUS_CLOSED;
    enum status status = get_read_all(channel, body, len);
    return status == STATUS_OK ? get_cut_head(*body, len, http_status) : status;
}

// TLS with whom the URL names, on a socket that blocks.
static enum status get_secure(struct channel *channel, const struct url *url, const struct client_trust *trust)
{
    char ignored[160];
    struct text failure = text_on(ignored, sizeof ignored);
    SSL_CTX *context = channel_context(trust, &failure);
    enum status status = STATUS_CLOSED;
    if (context && channel_begin_tls(channel, context, url)) {
        enum channel_handshake done = channel_handshake(channel, &failure);
        status = done == CHANNEL_READY ? STATUS_OK : done == CHANNEL_FAILED ? STATUS_CLOSED : STATUS_TIMEOUT;
    }
    SSL_CTX_free(context);
    return status;
}

enum status client_get(const char *url, const struct client_trust *trust, const char *path, int *http_status,
                       char **body, size_t *len)
{
    struct url where;
    char host[URL_HOST_BYTES], request[1024];
    *body = NULL;
    *len = 0;
    if (!url_read(url, &where))
        return STATUS_INVALID;
    url_host(&where, host);
    struct text text = text_on(request, sizeof request);
    text_printf(&text, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
    if (text.full)
        return STATUS_INVALID;
    struct channel channel = {.fd = get_connect(&where)};
    enum status status = channel.fd < 0 ? STATUS_CLOSED : STATUS_OK;
    if (status == STATUS_OK && where.secure)
        status = get_secure(&channel, &where, trust);
    if (status == STATUS_OK)
        status = get_exchange(&channel, &text, http_status, body, len);
    channel_close(&channel);
    if (status != STATUS_OK) {
        free(*body);
        *body = NULL;
    }
    return status;
}
