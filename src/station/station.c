#include "station/station.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/frames.h"
#include "compose/compose.h"
#include "os/log.h"
#include "os/thread.h"
#include "station/audio.h"
#include "station/news.h"
#include "station/outlet.h"
#include "station/programme.h"

enum {
    NAME_BYTES = 64,
    STATE_ALIGNMENT = 64,
    HISTORY_FRAMES = 12 * FRAME_RATE,   // behind the playhead: Opus begins up to 10.8 s back
    MIN_SLEEP_NS = 1000000,
};

struct station {
    struct station_config config;
    char name[NAME_BYTES];
    struct mood_log log;
    struct program program;
    struct programme *programme;
    struct audio audio;
    struct outlet outlets[FORMAT_COUNT];
    struct outlet_source source;
    uint64_t ahead_frames;              // how far ahead of the playhead it renders
    atomic_uint_fast64_t wanted_lead;   // see station_set_lead
    uint64_t begun_at;                  // the playhead when it began: what it renders first cannot be early
    uint64_t filled_until;              // nor what comes before this
    struct clock real;                  // durations are real ones, whatever the station's clock does
    struct wakeup wakeup;
    struct thread thread;
    atomic_bool stopping;
    struct station_stats stats;
};

// How far ahead of the playhead a format is published. The resampler for old clients looks one chunk ahead, so that one
// must be rendered by then.
static uint64_t ahead_of(enum format format, uint64_t ahead_frames)
{
    uint64_t legacy = STATION_LEGACY_AHEAD_FRAMES, most = ahead_frames - CHUNK_FRAMES;
    return format != FORMAT_LEGACY ? ahead_frames : legacy < most ? legacy : most;
}

// What a window of `frames` frames can touch, plus one chunk that is replaced while it is still being read.
static uint32_t window_chunks(uint64_t frames)
{
    return (uint32_t)(frames_round_up(frames, CHUNK_FRAMES) / CHUNK_FRAMES) + 2;
}

struct timeline *station_timeline_create(uint64_t lead_frames)
{
    struct timeline_config config;
    for (int i = 0; i < FORMAT_COUNT; i++) {
        uint64_t ahead = ahead_of((enum format)i, lead_frames + STATION_RESERVE_FRAMES);
        config.chunks_kept[i] = window_chunks(OUTLET_BEHIND_FRAMES + ahead);
        config.chunk_bytes[i] = outlet_chunk_bytes((enum format)i);
    }
    return timeline_create(&config);
}

// The origin may lie before the clock's own zero, where its times wrap around: only the difference counts.
static uint64_t playhead_at(const struct station *station, uint64_t now_ns)
{
    int64_t since = (int64_t)(now_ns - station->config.origin_ns);
    return since > 0 ? frames_from_ns((uint64_t)since) : 0;
}

// Everything the station has to know about [.., to) of the log.
static void take_controls(struct station *station, uint64_t to)
{
    if (sequencer_take(station->config.sequencer, to + PROGRAMME_LOOKAHEAD, &station->log) != STATUS_OK)
        log_error("station %s: a control change waits, memory is short", station->name);
}

static void tell(struct station *station, const struct event *event)
{
    struct event_record record = {0};
    uint64_t sequence = mood_log_at(&station->log, event->at_frame)->sequence;
    if (news_record(event, (uint32_t)sequence, &record))
        timeline_publish_event(station->config.timeline, &record);
}

// What begins in a chunk.
static void tell_chunk(struct station *station, uint64_t first_frame)
{
    struct event events[COMPOSE_MAX_EVENTS];
    int count = compose_events(&station->program, first_frame, first_frame + CHUNK_FRAMES, events);
    for (int i = 0; i < count; i++)
        tell(station, &events[i]);
}

// Chord and section in force where the station begins; notes that sound there already are no news.
static void tell_begin(struct station *station, uint64_t frame)
{
    struct event events[COMPOSE_MAX_EVENTS];
    int count = compose_sounding(&station->program, frame, events);
    for (int i = 0; i < count; i++)
        if (events[i].kind != EVENT_NOTE_ON)
            tell(station, &events[i]);
}

// The programme from where it is exact from `frame` on, up to `frame`.
static void programme_stand_at(struct station *station, uint64_t frame)
{
    programme_start(station->programme, &station->program, programme_begin_frame(frame));
    while (programme_frame(station->programme) < frame && !atomic_load(&station->stopping)) {
        uint64_t at = programme_frame(station->programme);
        uint64_t frames = frame - at < CHUNK_FRAMES ? frame - at : CHUNK_FRAMES;
        take_controls(station, at + frames);
        programme_render(station->programme, &station->program, station->config.backend, audio_next(&station->audio),
                         (int)frames);
    }
}

// Begins where all that the outlets need for this playhead will be there.
static void stand_at(struct station *station, uint64_t playhead)
{
    uint64_t first = outlet_history_frame(playhead);
    station->begun_at = playhead;
    station->filled_until = playhead + station->ahead_frames;
    audio_start(&station->audio, first);
    take_controls(station, first);
    programme_stand_at(station, first);
    tell_begin(station, first);
}

// Rendering on would take longer than beginning again closer to the playhead, as after the machine was asleep.
static bool has_fallen_behind(const struct station *station, uint64_t playhead)
{
    return playhead > station->audio.end
        && programme_begin_frame(outlet_history_frame(playhead)) > programme_frame(station->programme);
}

// A chunk is due when the first listener is sent it: the lead before it is heard. Those of the first lead, and of
// what has been added to it, are due when they are heard.
static void count_chunk(struct station *station, uint64_t first_frame, uint64_t took_ns)
{
    struct station_stats *stats = &station->stats;
    uint64_t lead = station->ahead_frames - STATION_RESERVE_FRAMES;
    uint64_t due = first_frame < station->filled_until ? first_frame : first_frame - lead;
    if (first_frame >= station->begun_at && playhead_at(station, clock_now_ns(station->config.clock)) > due)
        atomic_fetch_add(&stats->late_chunks, 1);
    histogram_record(&stats->render_ns, took_ns);
    atomic_fetch_add(&stats->chunks_rendered, 1);
    atomic_store(&stats->rendered_frames, station->audio.end);
    atomic_store(&stats->faults, programme_faults(station->programme));
    atomic_store(&stats->servo_db, programme_servo_db(station->programme));
}

static void render_chunk(struct station *station)
{
    uint64_t first_frame = station->audio.end;
    float *out = audio_next(&station->audio);
    take_controls(station, first_frame + CHUNK_FRAMES);
    uint64_t begin_ns = clock_now_ns(&station->real);
    programme_render(station->programme, &station->program, station->config.backend, out, CHUNK_FRAMES);
    audio_push(&station->audio);
    count_chunk(station, first_frame, clock_now_ns(&station->real) - begin_ns);
    tell_chunk(station, first_frame);
}

static void encode_chunk(struct station *station, struct outlet *outlet)
{
    enum format format = outlet->encoder->format;
    bool published;
    uint64_t begin_ns = clock_now_ns(&station->real);
    if (outlet_encode(outlet, &station->source, &published) != STATUS_OK)
        atomic_fetch_add(&station->stats.encode_faults, 1);
    histogram_record(&station->stats.encode_ns[format], clock_now_ns(&station->real) - begin_ns);
    if (published)
        atomic_fetch_add(&station->stats.chunks_published[format], 1);
}

// How far ahead it works, and what it holds, when another lead is wanted.
static void follow_lead(struct station *station, uint64_t playhead)
{
    uint64_t ahead = atomic_load(&station->wanted_lead) + STATION_RESERVE_FRAMES;
    if (ahead == station->ahead_frames)
        return;
    if (ahead > station->ahead_frames)
        station->filled_until = playhead + ahead;
    station->ahead_frames = ahead;
    audio_keep(&station->audio, (HISTORY_FRAMES + ahead) / CHUNK_FRAMES);
    for (int i = 0; i < FORMAT_COUNT; i++) {
        uint64_t outlet_ahead = station->outlets[i].ahead_frames = ahead_of((enum format)i, ahead);
        timeline_keep(station->config.timeline, (enum format)i, window_chunks(OUTLET_BEHIND_FRAMES + outlet_ahead));
    }
}

static void follow_readers(struct station *station, uint64_t playhead, uint64_t now_ns)
{
    for (int i = 0; i < FORMAT_COUNT; i++)
        if (outlet_follow(&station->outlets[i], &station->source, playhead, now_ns) != STATUS_OK)
            atomic_fetch_add(&station->stats.encode_faults, 1);
}

// Of the outlets that have something to do, the one whose chunk is heard first. NULL: none.
static struct outlet *most_urgent(struct station *station, uint64_t playhead)
{
    struct outlet *urgent = NULL;
    for (int i = 0; i < FORMAT_COUNT; i++) {
        struct outlet *outlet = &station->outlets[i];
        if (outlet_ready(outlet, &station->source, playhead) && (!urgent || outlet->next_frame < urgent->next_frame))
            urgent = outlet;
    }
    return urgent;
}

// One piece of work, the most urgent: what is rendered is always heard before what is not, so encoding comes first.
// False when there is nothing to do yet.
static bool work(struct station *station, uint64_t playhead)
{
    struct outlet *outlet = most_urgent(station, playhead);
    if (outlet)
        encode_chunk(station, outlet);
    else if (has_fallen_behind(station, playhead))
        stand_at(station, playhead);
    else if (station->audio.end < playhead + station->ahead_frames)
        render_chunk(station);
    else
        return false;
    return true;
}

// The playhead at which there is something to do again, negative when that was before frame 0.
static int64_t next_due_playhead(const struct station *station)
{
    int64_t due = (int64_t)(station->audio.end - station->ahead_frames);
    for (int i = 0; i < FORMAT_COUNT; i++) {
        const struct outlet *outlet = &station->outlets[i];
        int64_t outlet_due = (int64_t)(outlet->next_frame - outlet->ahead_frames);
        if (outlet->open && outlet_due < due)
            due = outlet_due;
    }
    return due;
}

static void sleep_until_due(struct station *station)
{
    int64_t playhead = next_due_playhead(station);
    uint64_t due_ns = station->config.origin_ns + (playhead > 0 ? frames_to_ns((uint64_t)playhead + 1) : 0);
    uint64_t sleep_ns = clock_delay_ns(station->config.clock, due_ns);
    wakeup_wait(&station->wakeup, sleep_ns > MIN_SLEEP_NS ? sleep_ns : MIN_SLEEP_NS);
}

static void station_run(void *argument)
{
    struct station *station = argument;
    stand_at(station, playhead_at(station, clock_now_ns(station->config.clock)));
    while (!atomic_load(&station->stopping)) {
        uint64_t now_ns = clock_now_ns(station->config.clock), playhead = playhead_at(station, now_ns);
        follow_lead(station, playhead);
        follow_readers(station, playhead, now_ns);
        if (!work(station, playhead))
            sleep_until_due(station);
    }
}

static void raise_wakeup(void *context)
{
    wakeup_raise(context);
}

static enum status station_claim(struct station *station)
{
    uint64_t ring_frames = HISTORY_FRAMES + station->ahead_frames;
    enum status status = mood_log_init(&station->log, &station->config.mood);
    if (status == STATUS_OK)
        status = audio_init(&station->audio, ring_frames / CHUNK_FRAMES);
    for (int i = 0; i < FORMAT_COUNT && status == STATUS_OK; i++) {
        status = outlet_init(&station->outlets[i], encoders[i], ahead_of((enum format)i, station->ahead_frames));
    }
    station->programme = aligned_alloc(STATE_ALIGNMENT, programme_bytes());
    return status == STATUS_OK && !station->programme ? STATUS_MEMORY : status;
}

static void station_prepare(struct station *station, const struct station_config *config)
{
    station->config = *config;
    strncpy(station->name, config->name, sizeof station->name - 1);
    station->program = (struct program){.seed = config->seed, .log = &station->log};
    station->source = (struct outlet_source){&station->audio, &station->log, config->timeline};
    station->ahead_frames = config->lead_frames + STATION_RESERVE_FRAMES;
    atomic_init(&station->wanted_lead, config->lead_frames);
    clock_init(&station->real, 1);
    wakeup_init(&station->wakeup);
    histogram_init(&station->stats.render_ns);
    for (int i = 0; i < FORMAT_COUNT; i++)
        histogram_init(&station->stats.encode_ns[i]);
}

enum status station_create(struct station **created, const struct station_config *config)
{
    check(config->lead_frames % CHUNK_FRAMES == 0 && config->lead_frames > 0);
    *created = NULL;
    struct station *station = calloc(1, sizeof *station);
    if (!station)
        return STATUS_MEMORY;
    station_prepare(station, config);
    enum status status = station_claim(station);
    if (status == STATUS_OK) {
        timeline_on_demand(config->timeline, raise_wakeup, &station->wakeup);
        status = thread_start(&station->thread, station->name, THREAD_RENDER, station_run, station);
    }
    if (status == STATUS_OK)
        *created = station;
    else
        station_destroy(station);
    return status;
}

void station_destroy(struct station *station)
{
    if (!station)
        return;
    atomic_store(&station->stopping, true);
    wakeup_raise(&station->wakeup);
    thread_join(&station->thread);
    timeline_on_demand(station->config.timeline, NULL, NULL);
    for (int i = 0; i < FORMAT_COUNT; i++)
        outlet_finish(&station->outlets[i]);
    audio_finish(&station->audio);
    mood_log_finish(&station->log);
    wakeup_finish(&station->wakeup);
    free(station->programme);
    free(station);
}

void station_set_lead(struct station *station, uint64_t lead_frames)
{
    check(lead_frames % CHUNK_FRAMES == 0 && lead_frames > 0 && lead_frames <= station->config.lead_frames);
    atomic_store(&station->wanted_lead, lead_frames);
    wakeup_raise(&station->wakeup);
}

const struct station_stats *station_stats(const struct station *station)
{
    return &station->stats;
}

size_t station_bytes(const struct station *station)
{
    size_t bytes = sizeof *station + programme_bytes() + audio_bytes(&station->audio);
    for (int i = 0; i < FORMAT_COUNT; i++)
        bytes += outlet_bytes(&station->outlets[i]);
    return bytes;
}
