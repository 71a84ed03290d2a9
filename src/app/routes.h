// The HTTP interface: which path and method leads where.
#pragma once
#include "app/app.h"
#include "net/http.h"

// A handler's view of a request. `argument` is the {part} of the path, "" when the pattern has none.
struct route_call {
    struct app *app;
    const struct http_request *request;
    struct http_response *response;
    const char *argument;
};

struct route {
    const char *method;
    const char *pattern;      // "/api/presets/{name}/load"
    void (*handle)(const struct route_call *call);
    bool takes_time;          // it waits for the store, or has much to write
};

// Families of routes, each ending in an entry without a method.
extern const struct route routes_music[], routes_presets[], routes_system[];

// For net_handlers.request; context is the app.
void routes_handle(void *context, const struct http_request *request, struct http_response *response);
// For net_handlers.takes_time.
bool routes_take_time(void *context, const struct http_request *request);
