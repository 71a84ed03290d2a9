// A name may stand for several addresses, as "localhost" does for ::1 and 127.0.0.1, while a server listens on one.
#pragma once
#include <netdb.h>

// Connects to the first address of the list that takes a connection; each is given limit_s seconds.
//   taken: out, that address; untouched when there is none.
// Returns a blocking socket on which sending and receiving are given up after limit_s of silence, -1 when no address
// takes one.
int address_connect(const struct addrinfo *list, int limit_s, const struct addrinfo **taken);
