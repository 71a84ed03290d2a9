// What a client offers in Sec-WebSocket-Protocol.
#pragma once
#include "net/http.h"

enum offer { OFFER_NONE, OFFER_IT, OFFER_OTHERS };

// Of the list that the request brings, which may go over several headers.
enum offer subprotocol_offer(const struct http_request *request, const char *name);
