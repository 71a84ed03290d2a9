#include "stream/steer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "stream/listener.h"

static void steer_tell(struct steering *steering)
{
    struct listener *listener = steering->listener;
    if (!listener->closing)
        listener->protocol->answered(listener, steering);
}

// On the thread of wishes. There is room, for a loop has no more wishes than its queue holds.
static void steer_done(struct wish *wish)
{
    struct steering *steering = (struct steering *)wish;
    struct stream_loop *loop = steering->listener->loop;
    struct stream *stream = loop->stream;
    check(queue_push(&loop->answers, &steering));
    net_wake_at(atomic_load(&stream->server), loop->index, clock_now_ns(stream->config.clock));
}

static void steering_free(struct steering *steering)
{
    json_decref(steering->id);
    free(steering);
}

// False when it has to be answered at once.
static bool steer_make(const struct steering *wanted, enum status *status)
{
    struct listener *listener = wanted->listener;
    struct stream_loop *loop = listener->loop;
    struct steering *steering = malloc(sizeof *steering);
    *status = STATUS_MEMORY;
    if (!steering)
        return false;
    *steering = *wanted;
    json_incref(steering->id);
    *status = STATUS_RATE_LIMITED;
    if (loop->wishes >= STEER_WAITING || !wishes_make(loop->stream->wishes, &steering->wish)) {
        steering_free(steering);
        return false;
    }
    loop->wishes++;
    listener->wishes++;
    return true;
}

void steer(struct listener *listener, const json_t *parameters, const char *const *ignored, json_t *id)
{
    struct steering steering = {
        .wish = {.sequencer = listener->station->sequencer, .source = CONTROL_USER, .hand = listener->number,
                 .done = steer_done},
        .listener = listener, .id = id};
    struct wish *wish = &steering.wish;
    wish->status = mood_patch_from_json(parameters, ignored, &wish->patch, &steering.refusal);
    if (wish->status != STATUS_OK || !steer_make(&steering, &wish->status))
        steer_tell(&steering);
}

void steer_answer(struct stream_loop *loop)
{
    struct steering *steering;
    while (queue_pop(&loop->answers, &steering)) {
        struct listener *listener = steering->listener;
        loop->wishes--;
        listener->wishes--;
        steer_tell(steering);
        steering_free(steering);
        listener_release(listener);
    }
}

void steer_forget(struct stream_loop *loop)
{
    struct steering *steering;
    while (queue_pop(&loop->answers, &steering))
        steering_free(steering);
}

struct mood_entry steer_latest(const struct stream_station *station)
{
    struct mood_entry entry = {.mood = mood_default()};
    (void)sequencer_entries(station->sequencer, sequencer_latest(station->sequencer), &entry, 1);
    return entry;
}

const char *steer_complaint(const struct steering *steering, char *text, int cap)
{
    const struct mood_refusal *refusal = &steering->refusal;
    enum status status = steering->wish.status;
    if (status == STATUS_INVALID)
        snprintf(text, (size_t)cap, "%s: %s is not %s", refusal->field, refusal->value, refusal->constraint);
    else if (status == STATUS_RATE_LIMITED)
        snprintf(text, (size_t)cap, "too many changes, try again in a second");
    else
        snprintf(text, (size_t)cap, "the change could not be made: %s", status_text(status));
    return text;
}
