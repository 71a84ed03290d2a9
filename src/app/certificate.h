// The certificate and key that the server shows, by its options. Main thread.
#pragma once
#include "app/app.h"

bool certificate_wanted(const struct options *options);
// For the start: prints what is wrong.   tls: out, NULL when none is wanted.
MUST_USE enum status certificate_load(const struct options *options, SSL_CTX **tls);
// Reads them again for new connections. On failure the ones in use stay, and the log says why.
void certificate_reload(const struct app *app);
// Makes our own anew when it expires soon; to be called about once a day.
void certificate_renew(const struct app *app);
