#include "app/routes.h"

#include <stdio.h>
#include <string.h>

#include "app/assets.h"
#include "app/certificate.h"
#include "app/reply.h"
#include "base/text.h"

static const struct route *const route_families[] = {routes_music, routes_presets, routes_system};
enum { ROUTE_FAMILIES = sizeof route_families / sizeof *route_families, ROUTE_ARGUMENT_BYTES = 256,
       ROUTE_LOCATION_BYTES = 2048 };

// The page needs its own origin, a module worker, WebAssembly and sockets, and nothing else from anywhere.
static const char content_security_policy[] =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self' ws: wss:; "
    "style-src 'self'; img-src 'self' data:; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'";

// Matches a path against a pattern with at most one {part}, which it copies to `argument`: anything but nothing, for a
// name may hold a slash.
static bool route_match(const char *pattern, const char *path, char *argument)
{
    while (*pattern && *pattern != '{') {
        if (*pattern++ != *path++)
            return false;
    }
    if (!*pattern)
        return *path == '\0';
    const char *rest = strchr(pattern, '}') + 1;
    size_t len = strlen(path), rest_len = strlen(rest);
    if (len <= rest_len || strcmp(path + len - rest_len, rest) != 0)
        return false;
    len -= rest_len;
    if (len >= ROUTE_ARGUMENT_BYTES)
        return false;
    memcpy(argument, path, len);
    argument[len] = '\0';
    return true;
}

static bool route_is_read(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static bool route_method_fits(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 || (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

// Changes are only for pages of our own and for programs: see doc/decisions/ on cross-site requests.
static bool route_change_allowed(struct app *app, const struct http_request *request, struct http_response *response)
{
    if (!http_host_allowed(request, app->options.hosts)) {
        reply_error(app, response, 403, "The Host header does not name this server: start it with --allow-host NAME.",
                    NULL);
        return false;
    }
    if (!http_origin_allowed(request, app->options.origins)) {
        reply_error(app, response, 403, "Requests from this origin are not allowed.", NULL);
        return false;
    }
    if (request->body_len > 0 && !http_is_json(request)) {
        reply_error(app, response, 415, "The body must be application/json.", NULL);
        return false;
    }
    return true;
}

static void route_not_allowed(const struct app *app, struct http_response *response, const char *allow)
{
    http_response_header(response, "Allow", allow);
    reply_error(app, response, 405, "This path does not know that method.", NULL);
}

// A browser that asks for a page over plain HTTP, and says that it would rather not: it is sent to the same page under
// TLS, where it is allowed all that playing needs. On this machine plain HTTP is as good; behind a proxy it is the
// proxy's business.
static bool route_belongs_under_tls(const struct app *app, const struct http_request *request)
{
    const char *wish = http_header(request, "upgrade-insecure-requests");
    return certificate_wanted(&app->options) && !request->secure && !request->peer.loopback && wish &&
           strcmp(wish, "1") == 0 && !http_is_forwarded(request) && http_header(request, "host");
}

// The same port speaks both; a Host header without a port stands for 80. Paths of assets need no escapes.
static void route_to_tls(const struct http_request *request, struct http_response *response)
{
    char location[ROUTE_LOCATION_BYTES];
    const char *host = http_header(request, "host"), *port = strrchr(host, ':');
    bool has_port = port && !strchr(port, ']');
    int len = snprintf(location, sizeof location, "https://%s%s%s%s%s", host, has_port ? "" : ":80", request->path,
                       *request->query ? "?" : "", request->query);
    if (len < 0 || (size_t)len >= sizeof location) {
        http_respond(response, 414, "text/plain", "", 0);
        return;
    }
    http_response_header(response, "Location", location);
    http_respond(response, 307, "text/plain", "", 0);
}

static void route_asset(const struct app *app, const struct http_request *request, struct http_response *response,
                        const struct asset *asset)
{
    if (!route_is_read(request->method)) {
        route_not_allowed(app, response, "GET, HEAD");
        return;
    }
    if (certificate_wanted(&app->options))
        http_response_header(response, "Vary", "Upgrade-Insecure-Requests");
    if (route_belongs_under_tls(app, request)) {
        route_to_tls(request, response);
        return;
    }
    http_response_header(response, "Content-Security-Policy", content_security_policy);
    http_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    http_response_header(response, "Cross-Origin-Embedder-Policy", "require-corp");
    http_response_header(response, "Referrer-Policy", "no-referrer");
    http_response_header(response, "Cache-Control", "no-cache");
    http_response_header(response, "ETag", asset->etag);
    const char *known = http_header(request, "if-none-match");
    if (known && strcmp(known, asset->etag) == 0)
        http_respond(response, 304, asset->content_type, "", 0);
    else
        http_respond_static(response, 200, asset->content_type, asset->bytes, asset->len);
}

// Finds the route; `allow` collects the methods of the path when the method is another.
static const struct route *route_find(const struct http_request *request, char *argument, struct text *allow)
{
    for (int family = 0; family < ROUTE_FAMILIES; family++) {
        for (const struct route *route = route_families[family]; route->method; route++) {
            if (!route_match(route->pattern, request->path, argument))
                continue;
            if (route_method_fits(route, request->method))
                return route;
            text_printf(allow, "%s%s", allow->len ? ", " : "", route->method);
        }
    }
    return NULL;
}

void routes_handle(void *context, const struct http_request *request, struct http_response *response)
{
    struct app *app = context;
    char argument[ROUTE_ARGUMENT_BYTES] = "", allow_bytes[64];
    struct text allow = text_on(allow_bytes, sizeof allow_bytes);
    const struct route *route = route_find(request, argument, &allow);
    const struct asset *asset = asset_find(request->path);
    if (route && (route_is_read(request->method) || route_change_allowed(app, request, response)))
        route->handle(&(struct route_call){app, request, response, argument});
    else if (route)
        return;
    else if (allow.len > 0)
        route_not_allowed(app, response, allow_bytes);
    else if (asset)
        route_asset(app, request, response, asset);
    else
        reply_error(app, response, 404, "There is nothing at this path.", NULL);
}

bool routes_take_time(void *context, const struct http_request *request)
{
    char argument[ROUTE_ARGUMENT_BYTES], allow_bytes[64];
    struct text allow = text_on(allow_bytes, sizeof allow_bytes);
    const struct route *route = route_find(request, argument, &allow);
    return route && route->takes_time;
}
