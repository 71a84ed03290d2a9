// Reading request headers.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "net/http.h"

// How many headers have this name (lower case).
int http_count_headers(const struct http_request *request, const char *name);
// Any header of this name lists the token, in any case: "keep-alive, Upgrade".
bool http_has_token(const struct http_request *request, const char *name, const char *token);
