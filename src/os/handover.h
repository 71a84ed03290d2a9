// A descriptor that one process hands to the one that takes its place: the older one listens at a socket file, the
// newer one asks there. Who may open the file may have it.
#pragma once
#include <stdbool.h>

#include "base/status.h"

// Listens at `path`, in place of whatever is there. Returns its descriptor, which does not block; -1: it cannot.
int handover_open(const char *path);
// Ends listening and removes the file.   descriptor: -1: harmless.
void handover_close(int descriptor, const char *path);
// Somebody who asks, or -1.
int handover_asked(int descriptor);
// Gives it a copy of a descriptor. False when it is not there any more.
bool handover_give(int asker, int given);
enum handover { HANDOVER_WAITS, HANDOVER_READY, HANDOVER_GONE };
// What has become of an asker that was given something. At once.
enum handover handover_look(int asker);

// Asks, and waits some seconds.   giver, taken: out, who gave what.
// Errors: STATUS_NOT_FOUND (nobody listens there), STATUS_TIMEOUT, STATUS_CLOSED (it gave nothing), STATUS_IO.
MUST_USE enum status handover_ask(const char *path, int *giver, int *taken);
// Tells the giver that we have its place, and ends with it. Who ends without a word has not.
void handover_ready(int giver);
