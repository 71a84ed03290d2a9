// A socket at the door: reads requests one by one, one in a turn of the door's loop, answers each before the next is
// read.
#pragma once
#include <sys/uio.h>
#include <uv.h>

#include "net/callers.h"
#include "net/http_parser.h"
#include "net/http_response.h"
#include "net/list.h"
#include "net/transport.h"

struct door;

enum visitor_state {
    VISITOR_ARRIVED,     // its first byte will tell whether it speaks TLS
    VISITOR_SECURING,    // its TLS handshake is under way
    VISITOR_READING,
    VISITOR_WAITING,     // the clerk has its request
    VISITOR_ANSWERING,
    VISITOR_LINGERING,
    VISITOR_GONE
};

struct visitor {
    uv_poll_t poll;
    struct http_peer peer;       // at the other end of the socket
    struct list link;            // in the door's list of those who have the same time
    struct caller caller;        // among those of its address
    struct door *door;
    struct transport transport;  // none when it has been handed over
    enum visitor_state state;
    uint64_t due_ms;             // when its time is over
    bool head_timed, body_timed; // their time has begun to run
    bool continued;              // 100 Continue has been sent for this request
    bool last;                   // closes after the answer under way
    char *answer;                // owned
    struct iovec left[2];        // what of the answer has to go out yet
    char *input;                 // read, but to be parsed after the answer, or in the next turn; owned
    size_t input_at, input_len;  // how much of it has been parsed; how much there is
    struct http_parser parser;
};

// False when there is no memory; the socket is closed then.
bool visitor_welcome(struct door *door, int descriptor, const struct http_peer *peer);
// The clerk has answered its request.
void visitor_served(struct visitor *visitor, struct http_response *response);
// Its time is over: answers 408 when a request is incomplete, else ends it.
void visitor_timeout(struct visitor *visitor);
// Closes and frees it.
void visitor_end(struct visitor *visitor);
