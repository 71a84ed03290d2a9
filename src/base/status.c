#include "base/status.h"

const char *status_text(enum status status)
{
    switch (status) {
    case STATUS_OK: return "ok";
    case STATUS_INVALID: return "invalid";
    case STATUS_NOT_FOUND: return "not found";
    case STATUS_CONFLICT: return "conflict";
    case STATUS_FULL: return "full";
    case STATUS_IN_USE: return "in use";
    case STATUS_DENIED: return "permission denied";
    case STATUS_IO: return "input/output error";
    case STATUS_MEMORY: return "out of memory";
    case STATUS_DAMAGED: return "damaged";
    case STATUS_TIMEOUT: return "timed out";
    case STATUS_CLOSED: return "closed";
    case STATUS_RATE_LIMITED: return "rate limited";
    case STATUS_UNSUPPORTED: return "not supported here";
    }
    return "unknown";
}
