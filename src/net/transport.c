#include "net/transport.h"

#include <unistd.h>

void transport_finish(const struct transport *transport)
{
    if (transport->tls)
        tls_stream_finish(transport->tls);
    shutdown(transport->descriptor, SHUT_WR);
}

void transport_close(struct transport *transport)
{
    tls_stream_destroy(transport->tls);
    if (transport->descriptor >= 0)
        close(transport->descriptor);
    *transport = (struct transport){.descriptor = -1};
}
