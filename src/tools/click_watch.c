#include "tools/click_watch.h"

#include "base/frames.h"
#include "score/event.h"

// What is plucked or struck rises in .12 s at most; a chord takes .8 s and more.
static const float sharp_attack_s = .15f;

enum status click_watch_init(struct click_watch *watch)
{
    *watch = (struct click_watch){.watched_frames = 0};
    return click_finder_init(&watch->finder);
}

void click_watch_finish(struct click_watch *watch)
{
    click_finder_finish(&watch->finder);
}

enum status click_watch_add(struct click_watch *watch, uint64_t first_frame, const float *sound, size_t frames)
{
    watch->watched_frames += frames;
    return click_finder_add(&watch->finder, first_frame, sound, frames);
}

bool click_watch_is_sharp(const struct event *event)
{
    return event->kind == EVENT_NOTE_ON && event->note.attack_s < sharp_attack_s;
}

static bool click_watch_explains(const struct program *program, uint64_t frame)
{
    struct event events[COMPOSE_MAX_EVENTS];
    uint64_t from = frame < CLICKS_ONSET_AFTER_FRAMES ? 0 : frame - CLICKS_ONSET_AFTER_FRAMES;
    uint64_t to = frame + CLICKS_ONSET_BEFORE_FRAMES + 1;
    int count = compose_events(program, frames_round_down(from, CONTROL_FRAMES), frames_round_up(to, CONTROL_FRAMES),
                               events);
    for (int i = 0; i < count; i++)
        if (click_watch_is_sharp(&events[i]) && events[i].at_frame >= from && events[i].at_frame < to)
            return true;
    return false;
}

struct click_result click_watch_explain(const struct program *program, uint64_t first_frame, const struct click *found,
                                        size_t count)
{
    struct click_result result = {.clicks = 0};
    for (size_t i = 0; i < count; i++) {
        bool explained = click_watch_explains(program, first_frame + found[i].frame);
        if (!explained && result.clicks == 0)
            result.first = found[i];
        result.explained += explained;
        result.clicks += !explained;
    }
    return result;
}

enum status click_watch_judge(struct click_watch *watch, const struct program *program, struct click_result *result)
{
    enum status status = click_finder_end(&watch->finder);
    *result = click_watch_explain(program, 0, watch->finder.found, watch->finder.count);
    result->watched_frames = watch->watched_frames;
    return status;
}
