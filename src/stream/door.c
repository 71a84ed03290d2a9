#include "stream/door.h"

#include <string.h>

#include "stream/listener.h"

static const struct protocol *const door_protocols[STREAM_PROTOCOLS] = {&protocol_v0, &protocol_v1, &protocol_v2};

static const struct protocol *door_route(const char *path)
{
    for (int i = 0; i < STREAM_PROTOCOLS; i++) {
        const char *own = door_protocols[i]->path;
        size_t len = strlen(own);
        bool whole = own[len - 1] != '/';
        if (whole ? strcmp(path, own) == 0 : strncmp(path, own, len) == 0)
            return door_protocols[i];
    }
    return NULL;
}

static bool door_answer(struct http_response *response, int retry_s, const struct refusal *refusal)
{
    if (retry_s > 0)
        http_response_retry_after(response, retry_s);
    http_respond_error(response, refusal->status, refusal->code, refusal->message, NULL, NULL, NULL);
    return false;
}

static int door_retry_s(struct stream *stream)
{
    return http_retry_s(atomic_fetch_add(&stream->refusals, 1));
}

static bool door_refuse(struct stream *stream, struct http_response *response, int status, const char *code,
                        const char *message)
{
    atomic_fetch_add(&stream->stats.refused_request, 1);
    return door_answer(response, 0, &(struct refusal){status, code, message});
}

static bool door_full(struct stream *stream, struct http_response *response)
{
    atomic_fetch_add(&stream->stats.refused_full, 1);
    return door_answer(response, door_retry_s(stream), &(struct refusal){503, "SERVER_OVERLOAD", "at capacity"});
}

static bool door_short_of_memory(struct stream *stream, struct http_response *response)
{
    atomic_fetch_add(&stream->stats.refused_memory, 1);
    return door_answer(response, door_retry_s(stream),
                       &(struct refusal){503, "SERVER_OVERLOAD", "the server is short of memory"});
}

static struct listener *door_create(struct stream *stream, const struct protocol *protocol,
                                    const struct http_request *request)
{
    struct listener *listener = listener_create(stream);
    if (!listener)
        return NULL;
    listener->protocol = protocol;
    listener->station = &stream->config.stations[0];
    listener->peer = request->peer;
    listener->number = atomic_fetch_add(&stream->next_number, 1);
    pace_deliver(&listener->pace, listener->number, CHUNK_FRAMES);
    return listener;
}

// The listener's own wishes, then the number of connections from its address.
static bool door_admit(struct listener *listener, const struct http_request *request, struct net_accept *accept,
                       struct http_response *response)
{
    struct stream *stream = listener->stream;
    struct refusal refusal = {0};
    if (!listener->protocol->accept(listener, request, accept, &refusal)) {
        atomic_fetch_add(refusal.status == 401 ? &stream->stats.refused_token : &stream->stats.refused_request, 1);
        return door_answer(response, 0, &refusal);
    }
    if (timeline_state(listener->station->timeline) == TIMELINE_FAILED) {
        atomic_fetch_add(&stream->stats.refused_failed, 1);
        refusal = (struct refusal){503, "SYNTHESIS_ERROR", "the station cannot be rendered"};
        return door_answer(response, door_retry_s(stream), &refusal);
    }
    if (!admission_enter(stream->admission, &request->peer)) {
        atomic_fetch_add(&stream->stats.refused_address, 1);
        refusal = (struct refusal){429, "RATE_LIMIT_EXCEEDED", "too many connections from this address"};
        return door_answer(response, door_retry_s(stream), &refusal);
    }
    listener->pace.origin_ns = listener->station->origin_ns;
    accept->max_message_bytes = listener->protocol->max_message_bytes;
    memcpy(accept->detail, &listener, sizeof(struct listener *));
    return true;
}

// What an address may ask at all, before anything is looked at more closely.
static bool door_may_try(struct stream *stream, const struct http_request *request, struct http_response *response,
                         const struct protocol *protocol)
{
    int retry_s;
    uint64_t now_ns = clock_now_ns(stream->config.clock);
    if (admission_count(stream->admission, &request->peer, protocol->kind, 1, now_ns, &retry_s))
        return true;
    atomic_fetch_add(&stream->stats.refused_attempts, 1);
    return door_answer(response, retry_s,
                       &(struct refusal){429, "RATE_LIMIT_EXCEEDED", "too many attempts from this address"});
}

bool door_upgrade(void *context, const struct http_request *request, struct net_accept *accept,
                  struct http_response *response)
{
    struct stream *stream = context;
    const struct stream_config *config = &stream->config;
    if (!http_host_allowed(request, config->hosts) || !http_origin_allowed(request, config->origins))
        return door_refuse(stream, response, 403, "FORBIDDEN", "this host or origin is not allowed");
    const struct protocol *protocol = door_route(request->path);
    if (!protocol)
        return door_refuse(stream, response, 404, "NOT_FOUND", "nothing to hear at this path");
    if (!door_may_try(stream, request, response, protocol))
        return false;
    if (!atomic_load(&stream->server) || atomic_load(&stream->drain_until_ns) != 0)
        return door_full(stream, response);
    if (atomic_load(&stream->refusing))
        return door_short_of_memory(stream, response);
    struct listener *listener = door_create(stream, protocol, request);
    if (!listener)
        return door_full(stream, response);
    if (door_admit(listener, request, accept, response))
        return true;
    listener_destroy(listener);
    return false;
}

struct listener *door_listener(const struct net_accept *accept)
{
    struct listener *listener;
    memcpy(&listener, accept->detail, sizeof(struct listener *));
    return listener;
}

void door_abandoned(void *context, const struct net_accept *accept)
{
    struct stream *stream = context;
    struct listener *listener = door_listener(accept);
    admission_leave(stream->admission, &listener->peer);
    listener_destroy(listener);
}
