// What a client offers in Sec-WebSocket-Protocol.
#pragma once

enum offer { OFFER_NONE, OFFER_IT, OFFER_OTHERS };

// header: the list as it came, NULL when there was none.
enum offer subprotocol_offer(const char *header, const char *name);
