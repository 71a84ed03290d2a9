#include "station/front.h"

#include <inttypes.h>
#include <string.h>

#include "os/log.h"
#include "station/news.h"
#include "station/outlet.h"
#include "station/programme.h"

enum {
    HISTORY_FRAMES = 12 * FRAME_RATE,        // behind the playhead: Opus begins up to 10.8 s back
    LEAST_MARGIN_FRAMES = FRAME_RATE * 3 / 2,
    MOST_HELD_CHUNKS = 300,                  // half a minute; then the station is given up
    SETTLED_FRAMES = 60 * FRAME_RATE,        // after so long without trouble it is forgotten
};

#define FIRST_PAUSE_NS (10 * NS_PER_SECOND)
#define LONGEST_PAUSE_NS (300 * NS_PER_SECOND)

enum status front_init(struct front *front, const struct station_config *config, struct station_stats *stats,
                       struct wakeup *ready)
{
    *front = (struct front){.config = config, .stats = stats, .pause_ns = FIRST_PAUSE_NS};
    front->program = (struct program){.seed = config->seed, .log = &front->log};
    front->ahead_frames = config->lead_frames + station_reserve_frames(config->lead_frames);
    front->hold = hold_create();
    enum status status = front->hold ? mood_log_init(&front->log, &config->mood) : STATUS_MEMORY;
    front->log.head = config->head;
    if (status == STATUS_OK)
        status = audio_init(&front->audio, (HISTORY_FRAMES + front->ahead_frames) / CHUNK_FRAMES);
    if (status == STATUS_OK)
        status = supply_init(&front->supply, &(struct worker_config){.name = config->name, .backend = config->backend,
                                                                     .seed = config->seed, .mood = &config->mood,
                                                                     .head = config->head,
                                                                     .done = ready}, stats->render_failures);
    return status;
}

void front_finish(struct front *front)
{
    supply_finish(&front->supply);
    audio_finish(&front->audio);
    mood_log_finish(&front->log);
    hold_destroy(front->hold);
}

// Everything that has to be known about [.., to) of the log.
static void take_controls(struct front *front, uint64_t to)
{
    if (sequencer_take(front->config->sequencer, to + PROGRAMME_LOOKAHEAD, &front->log) != STATUS_OK)
        log_error("station %s: a control change waits, memory is short", front->config->name);
}

static void tell(struct front *front, const struct event *event)
{
    struct event_record record = {0};
    uint64_t sequence = mood_log_at(&front->log, event->at_frame)->sequence;
    if (news_record(event, (uint32_t)sequence, &record))
        timeline_publish_event(front->config->timeline, &record);
}

// What begins in a chunk; a note that is not heard is no news.
static void tell_chunk(struct front *front, uint64_t first_frame, bool held)
{
    struct event events[COMPOSE_MAX_EVENTS];
    int count = compose_events(&front->program, first_frame, first_frame + CHUNK_FRAMES, events);
    for (int i = 0; i < count; i++)
        if (!held || events[i].kind != EVENT_NOTE_ON)
            tell(front, &events[i]);
}

// Chord and section in force where the station begins; notes that sound there already are no news.
static void tell_begin(struct front *front, uint64_t frame)
{
    struct event events[COMPOSE_MAX_EVENTS];
    int count = compose_sounding(&front->program, frame, events);
    for (int i = 0; i < count; i++)
        if (events[i].kind != EVENT_NOTE_ON)
            tell(front, &events[i]);
}

void front_stand_at(struct front *front, uint64_t playhead)
{
    uint64_t first = outlet_history_frame(playhead);
    front->begun_at = playhead;
    front->filled_until = playhead + front->ahead_frames;
    front->armed = false;
    front->held_chunks = 0;
    audio_start(&front->audio, first);
    take_controls(front, first);
    tell_begin(front, first);
}

// Until more is there than there was, no chunk of it can be missed.
void front_set_ahead(struct front *front, uint64_t playhead, uint64_t ahead_frames)
{
    if (ahead_frames > front->ahead_frames) {
        front->filled_until = playhead + ahead_frames;
        front->armed = false;
    }
    front->ahead_frames = ahead_frames;
    audio_keep(&front->audio, (HISTORY_FRAMES + ahead_frames) / CHUNK_FRAMES);
}

// Going on would take longer than beginning again closer to the playhead, as after the machine was asleep.
static bool has_fallen_behind(const struct front *front, uint64_t playhead)
{
    uint64_t end = front->audio.end;
    return playhead > end && programme_begin_frame(outlet_history_frame(playhead)) > end;
}

static uint64_t playhead_now(const struct front *front)
{
    int64_t since = (int64_t)(clock_now_ns(front->config->clock) - front->config->origin_ns);
    return since > 0 ? frames_from_ns((uint64_t)since) : 0;
}

static uint64_t lead_frames(const struct front *front)
{
    return front->ahead_frames - station_reserve_frames(front->config->lead_frames);
}

// A chunk is due when the first listener is sent it: the lead before its delivery is heard. Those of the first lead,
// and of what has been added to it, are due when they are heard.
static void count_chunk(struct front *front, const struct worker_answer *answer)
{
    struct station_stats *stats = front->stats;
    uint64_t first = answer->first_frame;
    uint64_t delivery = delivery_frames(FORMAT_OPUS, front->config->lead_frames);
    uint64_t due = first < front->filled_until ? first : frames_round_down(first, delivery) - lead_frames(front);
    if (first >= front->begun_at && playhead_now(front) > due)
        atomic_fetch_add(&stats->late_chunks, 1);
    histogram_record(&stats->render_ns, answer->took_ns);
    atomic_fetch_add(&stats->chunks_rendered, 1);
    atomic_fetch_add(&stats->faults, answer->faults);
    atomic_store(&stats->servo_db, answer->servo_db);
}

static void set_state(struct front *front, enum timeline_state state)
{
    front->state = state;
    timeline_set_state(front->config->timeline, state);
}

// Puts the chunk at audio_next behind what is there.
static void push(struct front *front, bool held)
{
    uint64_t first = front->audio.end;
    audio_push(&front->audio, held);
    atomic_store(&front->stats->rendered_frames, front->audio.end);
    atomic_fetch_add(&front->stats->held_chunks, held);
    tell_chunk(front, first, held);
}

static uint64_t margin_frames(const struct front *front)
{
    uint64_t lead = lead_frames(front), half = lead / 2;
    uint64_t least = lead < LEAST_MARGIN_FRAMES ? lead : LEAST_MARGIN_FRAMES;
    return half > least ? half : least;
}

static bool is_safe(const struct front *front, uint64_t playhead)
{
    return front->audio.end >= playhead + margin_frames(front);
}

// Music has come.
static void put(struct front *front, const struct worker_answer *answer, uint64_t playhead)
{
    float *out = audio_next(&front->audio);
    bool held = front->held_chunks > 0;
    memcpy(out, answer->chunk, sizeof answer->chunk);
    if (held)
        hold_end(front->hold, out);
    count_chunk(front, answer);
    push(front, held);
    if (front->state != TIMELINE_WELL)
        log_info("station %s: the renderer is back, %" PRIu64 " chunks were held", front->config->name,
                 front->held_chunks + held);
    if (front->state != TIMELINE_WELL)
        set_state(front, TIMELINE_WELL);
    front->held_chunks = 0;
    front->armed |= is_safe(front, playhead);
    if (playhead > front->begun_at + SETTLED_FRAMES)
        front->pause_ns = FIRST_PAUSE_NS;
}

// The next chunk will not come in time.
static void replace(struct front *front)
{
    take_controls(front, front->audio.end + CHUNK_FRAMES);
    if (front->held_chunks == 0)
        hold_begin(front->hold, &front->audio);
    hold_next(front->hold, audio_next(&front->audio));
    front->held_chunks++;
    push(front, true);
    supply_miss(&front->supply);
}

static void give_up(struct front *front)
{
    front->revive_ns = clock_now_ns(front->config->clock) + front->pause_ns;
    log_error("station %s: given up, tried again in %" PRIu64 " s", front->config->name,
              front->pause_ns / NS_PER_SECOND);
    front->pause_ns = front->pause_ns < LONGEST_PAUSE_NS / 2 ? front->pause_ns * 2 : LONGEST_PAUSE_NS;
    supply_lose(&front->supply);
    set_state(front, TIMELINE_FAILED);
}

// Given up, until it is time to try again; it stays failed until music comes.
static bool revive(struct front *front, uint64_t playhead)
{
    if (clock_now_ns(front->config->clock) < front->revive_ns)
        return false;
    supply_revive(&front->supply);
    front_stand_at(front, playhead);
    return true;
}

// Looks after the worker, and asks for the next chunk if it can be asked.
static void follow_supply(struct front *front, uint64_t now_ns)
{
    uint64_t first = front->audio.end;
    supply_watch(&front->supply, now_ns);
    if (!supply_idle(&front->supply, now_ns))
        return;
    take_controls(front, first + CHUNK_FRAMES);
    if (supply_ask(&front->supply, &front->log, first) != STATUS_OK)
        log_error("station %s: nothing is rendered, memory is short", front->config->name);
}

static bool is_missed(const struct front *front, uint64_t playhead)
{
    return front->armed && !is_safe(front, playhead) && supply_overdue(&front->supply);
}

// More is to be rendered by now.
static bool is_wanted(const struct front *front, uint64_t playhead)
{
    return front->audio.end < playhead + front->ahead_frames;
}

bool front_advance(struct front *front, uint64_t playhead, uint64_t now_ns)
{
    if (front->supply.lost)
        return revive(front, playhead);
    if (has_fallen_behind(front, playhead)) {
        front_stand_at(front, playhead);
        return true;
    }
    if (!is_wanted(front, playhead))
        return false;
    const struct worker_answer *answer = supply_take(&front->supply, front->audio.end, now_ns);
    bool missed = !answer && is_missed(front, playhead);
    if (answer)
        put(front, answer, playhead);
    if (missed)
        replace(front);
    // The worker goes on while this chunk is encoded.
    if (is_wanted(front, playhead))
        follow_supply(front, now_ns);
    if ((front->supply.failures > 0 || front->held_chunks > 0) && front->state == TIMELINE_WELL)
        set_state(front, TIMELINE_TROUBLED);
    if (front->supply.lost || front->held_chunks >= MOST_HELD_CHUNKS)
        give_up(front);
    return answer || missed;
}

uint64_t front_rest_ns(const struct front *front, uint64_t playhead)
{
    const struct clock *clock = front->config->clock;
    if (front->supply.lost)
        return clock_delay_ns(clock, front->revive_ns);
    if (is_wanted(front, playhead))
        return SUPPLY_LOOK_NS;
    uint64_t due = front->audio.end - front->ahead_frames + 1;
    return clock_delay_ns(clock, front->config->origin_ns + frames_to_ns(due));
}

size_t front_bytes(const struct front *front)
{
    return audio_bytes(&front->audio) + worker_bytes() + hold_bytes();
}
