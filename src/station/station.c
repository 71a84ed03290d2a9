#include "station/station.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/frames.h"
#include "os/log.h"
#include "os/thread.h"
#include "station/framing.h"
#include "station/front.h"
#include "station/outlet.h"
#include "station/programme.h"

enum {
    NAME_BYTES = 64,
    MIN_SLEEP_NS = 1000000,
    REPLACED_CHUNKS = 16,
};

#define NO_SPLICE UINT64_MAX

_Static_assert((int)PROGRAMME_LOOKAHEAD <= (int)CONTROL_EARLY_FRAMES, "a change is heard too early");

struct station {
    struct station_config config;
    char name[NAME_BYTES];
    struct front front;
    struct outlet outlets[FORMAT_COUNT];
    struct outlet_source source;
    atomic_uint_fast64_t wanted_lead;   // see station_set_lead
    uint64_t splice_at_frame;           // of the change whose first chunk is not out yet; NO_SPLICE: none
    struct clock real;                  // durations are real ones, whatever the station's clock does
    uint64_t heard_ns;                  // when somebody listened last
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

// Old clients lead over to a change from what was to come, so that stays a while after it was replaced.
static uint32_t kept_chunks(enum format format, uint64_t ahead_frames)
{
    uint32_t window = window_chunks(OUTLET_BEHIND_FRAMES + ahead_of(format, ahead_frames));
    return format == FORMAT_LEGACY ? window + REPLACED_CHUNKS : window;
}

struct timeline *station_timeline_create(uint64_t lead_frames)
{
    struct timeline_config config;
    for (int i = 0; i < FORMAT_COUNT; i++) {
        config.chunks_kept[i] = kept_chunks((enum format)i, station_ahead_frames(lead_frames));
        config.chunk_bytes[i] = framing_bytes((enum format)i);
    }
    return timeline_create(&config);
}

// The origin may lie before the clock's own zero, where its times wrap around: only the difference counts.
static uint64_t playhead_at(const struct station *station, uint64_t now_ns)
{
    int64_t since = (int64_t)(now_ns - station->config.origin_ns);
    return since > 0 ? frames_from_ns((uint64_t)since) : 0;
}

// The first chunk of a splice is out. Its change came the guard before its frame.
static void count_splice(struct station *station)
{
    uint64_t guard = sequencer_guard_frames(station->config.sequencer), at_frame = station->splice_at_frame;
    uint64_t now = playhead_at(station, clock_now_ns(station->config.clock)) + guard;
    station->splice_at_frame = NO_SPLICE;
    histogram_record(&station->stats.splice_ns, now > at_frame ? frames_to_ns(now - at_frame) : 0);
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
    bool changed = outlet->next_frame + CONTROL_EARLY_FRAMES > station->splice_at_frame;
    if (published && changed && station->splice_at_frame != NO_SPLICE)
        count_splice(station);
}

// How far ahead it works, and what it keeps, when another lead is wanted.
static void follow_lead(struct station *station, uint64_t playhead)
{
    uint64_t ahead = atomic_load(&station->wanted_lead) + station_reserve_frames(station->config.lead_frames);
    if (ahead == station->front.ahead_frames)
        return;
    front_set_ahead(&station->front, playhead, ahead);
    for (int i = 0; i < FORMAT_COUNT; i++) {
        station->outlets[i].ahead_frames = ahead_of((enum format)i, ahead);
        timeline_keep(station->config.timeline, (enum format)i, kept_chunks((enum format)i, ahead));
    }
}

static bool is_heard(const struct station *station)
{
    for (int i = 0; i < FORMAT_COUNT; i++)
        if (timeline_readers(station->config.timeline, (enum format)i) > 0)
            return true;
    return false;
}

// All that whoever listened last was sent has been heard, and no waking will make another of it. A server that is about
// to take another's place has to be ahead first.
static bool is_tired(const struct station *station, uint64_t now_ns)
{
    const struct station_config *config = &station->config;
    uint64_t sent = station_ahead_frames(config->lead_frames) + STATION_BACK_FRAMES;
    return config->sleep_ns > 0 && now_ns - station->heard_ns >= config->sleep_ns + frames_to_ns(sent) &&
           front_is_well(&station->front) && front_is_ahead(&station->front);
}

static void fall_asleep(struct station *station)
{
    log_debug("station %s: sleeps", station->name);
    for (int i = 0; i < FORMAT_COUNT; i++)
        outlet_close(&station->outlets[i], &station->source);
    station->splice_at_frame = NO_SPLICE;
    atomic_store(&station->stats.asleep, true);
}

// From silence, as far back as encoders look, so that nothing from before has to be rendered for anybody.
static void wake_up(struct station *station, uint64_t playhead, uint64_t now_ns)
{
    uint64_t frame = outlet_history_frame(playhead);
    check(playhead - frame <= STATION_BACK_FRAMES);
    if (frame > 0 && sequencer_wake(station->config.sequencer, frame) != STATUS_OK)
        log_warn("station %s: that it wakes cannot be kept, so it is rendered as if it had not slept", station->name);
    log_debug("station %s: wakes", station->name);
    atomic_store(&station->stats.asleep, false);
    atomic_store(&station->stats.woken_ns, now_ns);
    atomic_fetch_add(&station->stats.wakings, 1);
    front_stand_at(&station->front, playhead);
}

// Returns whether it sleeps.
static bool follow_sleep(struct station *station, uint64_t playhead, uint64_t now_ns)
{
    bool heard = is_heard(station), asleep = atomic_load(&station->stats.asleep);
    if (heard)
        station->heard_ns = now_ns;
    if (asleep && heard)
        wake_up(station, playhead, now_ns);
    else if (!asleep && !heard && is_tired(station, now_ns))
        fall_asleep(station);
    return atomic_load(&station->stats.asleep);
}

static void follow_readers(struct station *station, uint64_t playhead, uint64_t now_ns)
{
    for (int i = 0; i < FORMAT_COUNT; i++)
        if (outlet_follow(&station->outlets[i], &station->source, playhead, now_ns) != STATUS_OK)
            atomic_fetch_add(&station->stats.encode_faults, 1);
}

// Goes back for controls that change what is there already.
static void follow_controls(struct station *station, uint64_t playhead)
{
    uint64_t chunk_frame;
    if (!front_take_controls(&station->front, playhead, &chunk_frame))
        return;
    bool goes_back = false;
    for (int i = 0; i < FORMAT_COUNT; i++)
        goes_back |= outlet_rewind(&station->outlets[i], &station->source, chunk_frame);
    front_rewind(&station->front, chunk_frame);
    const struct mood_log *log = &station->front.log;
    station->splice_at_frame = goes_back ? mood_log_latest(log)->at_frame : NO_SPLICE;
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

// One step, if there is one to make: what is rendered is always heard before what is not, so encoding comes first.
static bool work(struct station *station, uint64_t playhead)
{
    struct outlet *outlet = most_urgent(station, playhead);
    if (outlet)
        encode_chunk(station, outlet);
    return front_advance(&station->front, playhead, clock_now_ns(&station->real)) || outlet;
}

// Until an outlet may have something to do. What is due already waits for the front, and need not be waited for.
static uint64_t outlets_rest_ns(const struct station *station, uint64_t playhead)
{
    int64_t due = INT64_MAX;
    for (int i = 0; i < FORMAT_COUNT; i++) {
        const struct outlet *outlet = &station->outlets[i];
        int64_t outlet_due = (int64_t)(outlet->next_frame - outlet->ahead_frames);
        if (outlet->open && outlet_due > (int64_t)playhead && outlet_due < due)
            due = outlet_due;
    }
    if (due == INT64_MAX)
        return UINT64_MAX;
    return clock_delay_ns(station->config.clock, station->config.origin_ns + frames_to_ns((uint64_t)due + 1));
}

static void rest(struct station *station, uint64_t playhead)
{
    uint64_t front_ns = front_rest_ns(&station->front, playhead), outlets_ns = outlets_rest_ns(station, playhead);
    uint64_t rest_ns = front_ns < outlets_ns ? front_ns : outlets_ns;
    wakeup_wait(&station->wakeup, rest_ns > MIN_SLEEP_NS ? rest_ns : MIN_SLEEP_NS);
}

static void station_run(void *argument)
{
    struct station *station = argument;
    station->heard_ns = clock_now_ns(station->config.clock);
    if (!station->config.asleep)
        front_stand_at(&station->front, playhead_at(station, station->heard_ns));
    while (!atomic_load(&station->stopping)) {
        uint64_t now_ns = clock_now_ns(station->config.clock), playhead = playhead_at(station, now_ns);
        follow_lead(station, playhead);
        if (follow_sleep(station, playhead, now_ns)) {
            wakeup_wait(&station->wakeup, UINT64_MAX);
            continue;
        }
        follow_readers(station, playhead, now_ns);
        follow_controls(station, playhead);
        if (!work(station, playhead))
            rest(station, playhead);
    }
}

static void raise_wakeup(void *context)
{
    wakeup_raise(context);
}

static enum status station_claim(struct station *station)
{
    enum status status = front_init(&station->front, &station->config, &station->stats, &station->wakeup);
    for (int i = 0; i < FORMAT_COUNT && status == STATUS_OK; i++) {
        uint64_t ahead_frames = ahead_of((enum format)i, station->front.ahead_frames);
        status = outlet_init(&station->outlets[i], encoders[i], ahead_frames);
    }
    return status;
}

static void station_prepare(struct station *station, const struct station_config *config)
{
    station->config = *config;
    strncpy(station->name, config->name, sizeof station->name - 1);
    station->config.name = station->name;
    station->source = (struct outlet_source){&station->front.audio, &station->front.log, config->timeline};
    station->splice_at_frame = NO_SPLICE;
    atomic_init(&station->stats.asleep, config->asleep);
    atomic_init(&station->wanted_lead, config->lead_frames);
    clock_init(&station->real, 1);
    wakeup_init(&station->wakeup);
    histogram_init(&station->stats.render_ns);
    histogram_init(&station->stats.splice_ns);
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
        sequencer_on_change(config->sequencer, raise_wakeup, &station->wakeup);
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
    sequencer_on_change(station->config.sequencer, NULL, NULL);
    for (int i = 0; i < FORMAT_COUNT; i++)
        outlet_finish(&station->outlets[i]);
    front_finish(&station->front);
    wakeup_finish(&station->wakeup);
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

size_t station_snapshot_bytes(const struct station *station)
{
    size_t bytes = front_snapshot_bytes(&station->front);
    for (int i = 0; i < FORMAT_COUNT; i++)
        bytes += snapshots_bytes(&station->outlets[i].snapshots);
    return bytes;
}

size_t station_bytes(const struct station *station)
{
    size_t bytes = sizeof *station + front_bytes(&station->front);
    for (int i = 0; i < FORMAT_COUNT; i++)
        bytes += outlet_bytes(&station->outlets[i]);
    return bytes;
}
