// What a protocol is: a table. Each of v2.c, v1.c and v0.c ends in one.
#pragma once
#include <jansson.h>

#include "net/http.h"
#include "net/server.h"
#include "stream/admission.h"
#include "stream/stream.h"

struct listener;
struct steering;

// Why the server closes a connection; told apart in the statistics.
enum close_cause { CLOSE_NONE, CLOSE_SLOW, CLOSE_POLICY, CLOSE_PROTOCOL, CLOSE_DRAIN, CLOSE_FAILED, CLOSE_MEMORY };

// Why a request is not taken.
struct refusal {
    int status;            // HTTP
    const char *code;      // "INVALID_PARAMETERS"
    const char *message;
};

struct protocol {
    enum stream_protocol id;
    enum admission_kind kind;
    size_t max_message_bytes;
    const char *path;                 // of its requests; ends in "/" when more follows
    // Door thread: reads the request into the listener (station, format, who it is, subprotocol and buffer of *accept).
    // False, with *refusal, when the request is wrong.
    bool (*accept)(struct listener *listener, const struct http_request *request, struct net_accept *accept,
                   struct refusal *refusal);
    // The listener's loop: says hello and begins.
    void (*greet)(struct listener *listener, uint64_t now_ns);
    // Sends what is due; called when nothing is under way. Returns when to be called again.
    uint64_t (*serve)(struct listener *listener, uint64_t now_ns);
    // What it was sent is out of date, and can be sent again. NULL: clients cannot replace anything.
    bool (*outdated)(const struct listener *listener);
    // Called about twice a second: what was sent, does it arrive?
    void (*look)(struct listener *listener, uint64_t now_ns);
    // The kernel has taken a chunk that was to be sent at send_ns.
    void (*accepted)(struct listener *listener, uint64_t first_frame, uint64_t send_ns, uint64_t now_ns);
    // A JSON object with a type. False when it is malformed: the handler has answered by an error.
    bool (*message)(struct listener *listener, const char *type, json_t *message, uint64_t now_ns);
    // Tells it what came of a wish (steer.h).
    void (*answered)(struct listener *listener, const struct steering *steering);
    // Answers what is no such object (text), or comes too often.
    void (*refuse)(struct listener *listener, const char *code, const char *text);
    // A binary message.
    void (*binary)(struct listener *listener);
    // It has closed: gives back what it keeps. NULL: nothing.
    void (*closed)(struct listener *listener);
    // The last words before the server closes.
    void (*farewell)(struct listener *listener, enum close_cause cause, const char *reason);
    // The server is about to go: says so.
    void (*drain)(struct listener *listener, uint64_t now_ns);
};

extern const struct protocol protocol_v2, protocol_v1, protocol_v0;
