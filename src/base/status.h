// The world's faults. A function that can meet one returns a status, and the caller must look at it.
#pragma once

#define MUST_USE __attribute__((warn_unused_result))

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,      // the input breaks a rule
    STATUS_NOT_FOUND,
    STATUS_CONFLICT,     // it is there already, or the state forbids it
    STATUS_FULL,         // a bounded thing has no room
    STATUS_IN_USE,       // a port or a directory belongs to another process
    STATUS_DENIED,       // the system refuses access
    STATUS_IO,           // reading or writing failed
    STATUS_MEMORY,       // memory could not be claimed
    STATUS_DAMAGED,      // what was read is not what was written
    STATUS_TIMEOUT,
    STATUS_CLOSED,       // the other side is gone
    STATUS_RATE_LIMITED,
    STATUS_UNSUPPORTED,  // this machine or build cannot do it
};

// A short English phrase, never NULL: "not found".
const char *status_text(enum status status);
