#include "client/upgrade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/check.h"

enum { UPGRADE_SHOWN_BYTES = 60 };   // of a status line, in what is said about it

void upgrade_key_accept(struct upgrade_key *key)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, section 1.3
    char joined[sizeof key->key + sizeof guid];
    int len = snprintf(joined, sizeof joined, "%s%s", key->key, guid);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_bytes;
    check(EVP_Digest(joined, (size_t)len, digest, &digest_bytes, EVP_sha1(), NULL) == 1 && digest_bytes == 20);
    EVP_EncodeBlock((unsigned char *)key->accept, digest, (int)digest_bytes);
}

void upgrade_key_make(struct upgrade_key *key)
{
    unsigned char nonce[16];
    check(RAND_bytes(nonce, sizeof nonce) == 1);
    EVP_EncodeBlock((unsigned char *)key->key, nonce, sizeof nonce);
    upgrade_key_accept(key);
}

void upgrade_write(const struct url *url, const char *target, const char *subprotocol,
                     const struct upgrade_key *key, struct text *out)
{
    char host[URL_HOST_BYTES];
    url_host(url, host);
    text_printf(out, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", target, host);
    text_printf(out, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", key->key);
    if (subprotocol)
        text_printf(out, "Sec-WebSocket-Protocol: %s\r\n", subprotocol);
    text_add(out, "\r\n");
}

bool upgrade_header(const char *head, const char *name, char *out, size_t cap)
{
    size_t name_len = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
        const char *at = line + 2;
        if (strncasecmp(at, name, name_len) != 0 || at[name_len] != ':')
            continue;
        at += name_len + 1;
        at += strspn(at, " \t");
        size_t len = strcspn(at, "\r\n");
        while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
            len--;
        if (len >= cap)
            return false;
        memcpy(out, at, len);
        out[len] = '\0';
        return true;
    }
    return false;
}

int upgrade_status(const char *head)
{
    if (strncmp(head, "HTTP/1.", 7) != 0 || head[7] == '\0' || head[8] != ' ' || strspn(head + 9, "0123456789") != 3)
        return 0;
    return (int)strtol(head + 9, NULL, 10);
}

enum status upgrade_read(const char *head, const char *subprotocol, const struct upgrade_key *key,
                           struct text *failure)
{
    int status = upgrade_status(head);
    if (status != 101) {
        const char *line = status ? head + 9 : "no HTTP";
        size_t len = strcspn(line, "\r\n");
        text_printf(failure, "refused: %.*s", len < UPGRADE_SHOWN_BYTES ? (int)len : UPGRADE_SHOWN_BYTES, line);
        return status ? STATUS_CLOSED : STATUS_INVALID;
    }
    char value[64];
    if (!upgrade_header(head, "Upgrade", value, sizeof value) || strcasecmp(value, "websocket") != 0 ||
        !upgrade_header(head, "Sec-WebSocket-Accept", value, sizeof value) || strcmp(value, key->accept) != 0) {
        text_add(failure, "the server's handshake is wrong");
        return STATUS_INVALID;
    }
    bool named = upgrade_header(head, "Sec-WebSocket-Protocol", value, sizeof value);
    if (named != (subprotocol != NULL) || (named && strcmp(value, subprotocol) != 0)) {
        text_add(failure, "the server chose another subprotocol than was offered");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}
