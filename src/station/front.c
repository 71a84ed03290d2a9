#include "station/front.h"

#include <inttypes.h>
#include <string.h>

#include "os/log.h"
#include "station/news.h"
#include "station/outlet.h"
#include "station/programme.h"

enum {
    HISTORY_FRAMES = 112 * CHUNK_FRAMES,     // behind the playhead: Opus begins up to 10.9 s back
    LEAST_MARGIN_FRAMES = FRAME_RATE * 3 / 2,
    MOST_HELD_CHUNKS = 300,                  // half a minute; then the station is given up
    SETTLED_FRAMES = 60 * FRAME_RATE,        // after so long without trouble it is forgotten
    SPLICE_AT_ONCE_FRAMES = 3 * FRAME_RATE,  // so much is made again at once,
    SPLICE_PACE = 4,                         // and the rest so many times as fast as it is heard
};

#define FIRST_PAUSE_NS (10 * NS_PER_SECOND)
#define LONGEST_PAUSE_NS (300 * NS_PER_SECOND)

enum status front_init(struct front *front, const struct station_config *config, struct station_stats *stats,
                       struct wakeup *ready)
{
    *front = (struct front){.config = config, .stats = stats, .pause_ns = FIRST_PAUSE_NS};
    front->program = (struct program){.seed = config->seed, .log = &front->log};
    front->ahead_frames = station_ahead_frames(config->lead_frames);
    front->hold = hold_create();
    enum status status = front->hold ? mood_log_init(&front->log, &config->mood) : STATUS_MEMORY;
    front->log.head = config->head;
    if (status == STATUS_OK)
        status = audio_init(&front->audio, (HISTORY_FRAMES + front->ahead_frames) / CHUNK_FRAMES);
    if (status == STATUS_OK)
        status = supply_init(&front->supply, &(struct worker_config){.name = config->name, .backend = config->backend,
                                                                     .seed = config->seed, .mood = &config->mood,
                                                                     .head = config->head,
                                                                     .keepsakes = config->keepsakes,
                                                                     .identity = config->identity,
                                                                     .ahead_frames = front->ahead_frames,
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

static uint64_t playhead_now(const struct front *front)
{
    int64_t since = (int64_t)(clock_now_ns(front->config->clock) - front->config->origin_ns);
    return since > 0 ? frames_from_ns((uint64_t)since) : 0;
}

static void take_controls(struct front *front, uint64_t playhead)
{
    if (sequencer_take(front->config->sequencer, &front->log) != STATUS_OK)
        log_error("station %s: a control change waits, memory is short", front->config->name);
    mood_log_forget(&front->log, programme_past_frame(outlet_history_frame(playhead)));
}

// Of a generation is what sounds in the same packet, and so whatever goes with it.
static uint32_t generation_at(const struct front *front, uint64_t frame)
{
    uint64_t packet_end = frames_round_down(frame, PACKET_FRAMES) + PACKET_FRAMES;
    return control_generation(&front->log, packet_end);
}

static void tell(struct front *front, const struct event *event)
{
    struct event_record record = {0};
    if (news_record(event, generation_at(front, event->at_frame), &record))
        timeline_publish_event(front->config->timeline, &record);
}

// What begins in a chunk and has not been told; a note that is not heard is no news.
static void tell_chunk(struct front *front, uint64_t first_frame, bool held)
{
    struct event events[COMPOSE_MAX_EVENTS];
    int count = compose_events(&front->program, first_frame, first_frame + CHUNK_FRAMES, events);
    for (int i = 0; i < count; i++)
        if (events[i].at_frame >= front->told_until && (!held || events[i].kind != EVENT_NOTE_ON))
            tell(front, &events[i]);
    front->told_until = first_frame + CHUNK_FRAMES;
}

// Chord and section in force where the station begins; notes that sound there already are no news.
static void tell_begin(struct front *front, uint64_t frame)
{
    struct event events[COMPOSE_MAX_EVENTS];
    int count = compose_sounding(&front->program, frame, events);
    for (int i = 0; i < count; i++)
        if (events[i].kind != EVENT_NOTE_ON)
            tell(front, &events[i]);
    front->told_until = frame;
}

void front_stand_at(struct front *front, uint64_t playhead)
{
    uint64_t first = outlet_history_frame(playhead);
    front->begun_at = playhead;
    front->filled_until = playhead + front->ahead_frames;
    front->backed_until = 0;
    front->spliced_at = 0;
    front->armed = false;
    front->held_chunks = 0;
    front->leads_over = false;
    audio_start(&front->audio, first);
    supply_drop(&front->supply);
    take_controls(front, playhead);
    timeline_drop_events(front->config->timeline, first);
    tell_begin(front, first);
}

static bool controls_wait(const struct front *front)
{
    return sequencer_latest(front->config->sequencer) > mood_log_latest(&front->log)->sequence;
}

// A change takes effect at a frame. Where the sound that it changes begins, as far as there is any, in whole chunks;
// what was told of it is taken back. What stands in for music is left, and leads over to what comes.
static bool find_changed(struct front *front, uint64_t at_frame, uint64_t *chunk_frame)
{
    const struct audio *audio = &front->audio;
    uint64_t from = control_heard_from(at_frame);
    front->told_until = from < front->told_until ? from : front->told_until;
    timeline_drop_events(front->config->timeline, from);
    if (from < audio->end + CHUNK_FRAMES)
        supply_drop(&front->supply);
    uint64_t chunk = frames_round_down(from, CHUNK_FRAMES);
    uint64_t begin = chunk > audio->first ? chunk : audio->first + CHUNK_FRAMES;   // something has to be left
    for (chunk = begin; chunk < audio->end && audio_held(audio, chunk); chunk += CHUNK_FRAMES)
        tell_chunk(front, chunk, true);
    front->leads_over = chunk > begin;
    *chunk_frame = chunk;
    return chunk < audio->end;
}

bool front_take_controls(struct front *front, uint64_t playhead, uint64_t *chunk_frame)
{
    if (!controls_wait(front) || playhead < front->return_from || front->held_chunks > 0)
        return false;
    uint64_t known = mood_log_latest(&front->log)->sequence;
    take_controls(front, playhead);
    front->return_from = playhead + sequencer_apart_frames(front->config->sequencer);
    const struct mood_entry *first = mood_log_after(&front->log, known);
    return first && find_changed(front, first->at_frame, chunk_frame);
}

// What is taken back listeners keep until something else comes in its place.
void front_rewind(struct front *front, uint64_t chunk_frame)
{
    uint64_t end = front->audio.end;
    front->filled_until = end > front->filled_until ? end : front->filled_until;
    front->backed_until = end > front->backed_until ? end : front->backed_until;
    front->spliced_from = chunk_frame;
    front->spliced_at = playhead_now(front);
    audio_rewind(&front->audio, chunk_frame);
    atomic_store(&front->stats->rendered_frames, front->audio.end);
    atomic_fetch_add(&front->stats->splices, 1);
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
    return playhead > end && programme_begin_frame(&front->program, outlet_history_frame(playhead)) > end;
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
    uint64_t end = front->audio.end, covered = end > front->backed_until ? end : front->backed_until;
    atomic_store(&front->stats->rendered_frames, end);
    atomic_store(&front->stats->covered_frames, covered);
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
    if (front->leads_over && front->held_chunks == 0)
        hold_begin(front->hold, &front->audio);
    bool held = front->held_chunks > 0 || front->leads_over;
    float *out = audio_next(&front->audio);
    front->leads_over = false;
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
    supply_watch(&front->supply, now_ns);
    if (!supply_idle(&front->supply, now_ns))
        return;
    if (supply_ask(&front->supply, &front->log, front->audio.end) != STATUS_OK)
        log_error("station %s: nothing is rendered, memory is short", front->config->name);
}

// While listeners have older sound beyond, that is better than none.
static bool is_missed(const struct front *front, uint64_t playhead)
{
    bool backed = front->backed_until >= playhead + margin_frames(front);
    return front->armed && !backed && !is_safe(front, playhead) && supply_overdue(&front->supply);
}

// The playhead from which on the next chunk is to be rendered. What is made again beyond the next seconds comes behind
// what listeners are sent, which is at twice real time: most of it would be in vain while a slider is dragged.
static uint64_t wanted_from(const struct front *front)
{
    uint64_t end = front->audio.end, from = end < front->ahead_frames ? 0 : end - front->ahead_frames + 1;
    uint64_t at_once = front->spliced_from + SPLICE_AT_ONCE_FRAMES;
    if (front->spliced_at == 0 || end <= at_once)
        return from;
    uint64_t paced = front->spliced_at + (end - at_once) / SPLICE_PACE + 1;
    return paced > from ? paced : from;
}

// More is to be rendered by now.
static bool is_wanted(const struct front *front, uint64_t playhead)
{
    return playhead >= wanted_from(front);
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

bool front_is_well(const struct front *front)
{
    return front->state == TIMELINE_WELL && front->supply.failures == 0;
}

bool front_is_ahead(const struct front *front)
{
    return front->armed;
}

uint64_t front_rest_ns(const struct front *front, uint64_t playhead)
{
    const struct clock *clock = front->config->clock;
    if (front->supply.lost)
        return clock_delay_ns(clock, front->revive_ns);
    if (is_wanted(front, playhead))
        return SUPPLY_LOOK_NS;
    uint64_t due = wanted_from(front);
    if (controls_wait(front) && front->return_from < due)
        due = front->return_from;
    return clock_delay_ns(clock, front->config->origin_ns + frames_to_ns(due));
}

size_t front_bytes(const struct front *front)
{
    return audio_bytes(&front->audio) + worker_bytes(station_ahead_frames(front->config->lead_frames)) + hold_bytes();
}

size_t front_snapshot_bytes(const struct front *front)
{
    return worker_snapshot_bytes(station_ahead_frames(front->config->lead_frames));
}
