// Looks at each listener now and then: does what was sent arrive? Its loop's thread.
#pragma once
#include "stream/listener.h"

// Between two looks, at least: whoever gets a delivery every half second is looked at each time.
#define WATCH_NS (400 * NS_PER_MS)

// Looks when it is time to. May close it.
void watch(struct listener *listener, uint64_t now_ns);
// What is seen of any listener.   ask: the kernel is asked what has arrived; else all of it is taken to have.
struct ladder_view watch_view(struct listener *listener, uint64_t now_ns, bool ask);
// A send has been under way for a second: it may keep no chunk any more that others could do without.
bool watch_lets_go(const struct listener *listener, uint64_t now_ns);
// The ladder's step, but for LADDER_CLOSE, which is done here: then LADDER_STAY.
enum ladder_step watch_step(struct listener *listener, const struct ladder_view *view);
// For old clients, who have no rungs: closes one that is stuck.
void watch_stuck(struct listener *listener, uint64_t now_ns);
