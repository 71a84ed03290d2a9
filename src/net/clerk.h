// Answers requests that may take a while, one after the other, so that the door waits for none of them. The handler is
// called on its thread; all else about a request stays the door's.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

#include "base/queue.h"
#include "base/status.h"
#include "net/http_response.h"
#include "os/thread.h"

struct net_handlers;
struct visitor;

// A request that the clerk has, or has answered. It stays where it is: the response points into itself.
struct errand {
    struct visitor *visitor;
    const struct http_request *request;   // stays until the answer is taken
    struct http_response response;
};

struct clerk {
    const struct net_handlers *handlers;
    struct queue asked, answered;         // of struct errand *
    struct wakeup wake;
    struct thread thread;
    atomic_bool ending;
    void (*done)(void *context);          // its thread: something has been answered
    void *context;
};

// Errors: STATUS_MEMORY; clerk_finish is harmless then too.
MUST_USE enum status clerk_start(struct clerk *clerk, const struct net_handlers *handlers, void (*done)(void *context),
                                 void *context);
// Waits for the errand that is under way, gives up and frees all others.
void clerk_finish(struct clerk *clerk);

// --- the door's thread ---
// Takes the errand over. False when too many wait: it is still the caller's.
bool clerk_ask(struct clerk *clerk, struct errand *errand);
// One that has been answered, now the caller's to free; NULL: none.
struct errand *clerk_take(struct clerk *clerk);
