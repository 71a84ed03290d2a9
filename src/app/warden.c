#include "app/warden.h"

#include "app/app.h"
#include "base/frames.h"
#include "os/log.h"
#include "os/memory.h"

#define WARDEN_CALM_NS (30 * NS_PER_SECOND)

void warden_init(struct warden *warden, const struct app *app)
{
    *warden = (struct warden){.rendered_lead_frames = app->options.lead_frames};
    pressure_init(&warden->pressure, (uint64_t)app->options.memory_reserve_mib << 20, WARDEN_CALM_NS);
    atomic_init(&warden->lead_frames, app->options.lead_frames);
    atomic_init(&warden->headroom_bytes, memory_headroom_bytes(&memory_system));
}

// What listeners are to be sent ahead at the level in force.
static uint64_t warden_wanted_lead(const struct warden *warden, const struct app *app)
{
    uint64_t full = app->options.lead_frames, low = (uint64_t)app->options.low_lead_s * FRAME_RATE;
    return warden->pressure.level == PRESSURE_VERY_SHORT && low < full ? low : full;
}

static void warden_set_lead(struct warden *warden, struct app *app, uint64_t frames, uint64_t now_ns)
{
    uint64_t before = atomic_exchange(&warden->lead_frames, frames);
    log_info("lead: %g s instead of %g s", (double)frames / FRAME_RATE, (double)before / FRAME_RATE);
    stream_limit_lead(app->stream, frames);
    warden->moved_ns = now_ns;
}

static void warden_render_for(struct warden *warden, struct app *app, uint64_t frames)
{
    warden->rendered_lead_frames = frames;
    station_set_lead(app->station, frames);
}

// Down: the listeners first, and when all have got there the station. Up: the station first.
static void warden_follow_lead(struct warden *warden, struct app *app, uint64_t now_ns)
{
    uint64_t wanted = warden_wanted_lead(warden, app), lead = atomic_load(&warden->lead_frames);
    if (wanted < lead) {
        warden_set_lead(warden, app, wanted, now_ns);
        return;
    }
    if (wanted > warden->rendered_lead_frames)
        warden_render_for(warden, app, wanted);
    if (wanted > lead && app_buffered_frames(app) >= wanted)
        warden_set_lead(warden, app, wanted, now_ns);
    // Three times what is lost: a lead falls by half a chunk while a chunk and a half of time pass.
    uint64_t settled_ns = warden->moved_ns + frames_to_ns(3 * (warden->rendered_lead_frames - wanted)) + NS_PER_SECOND;
    if (wanted < warden->rendered_lead_frames && now_ns >= settled_ns) {
        warden_render_for(warden, app, wanted);
        memory_trim();
    }
}

static void warden_say(const struct warden *warden, uint64_t headroom, enum pressure_level before)
{
    static const char *const words[PRESSURE_LEVELS] = {
        [PRESSURE_NONE] = "enough again: listeners are let in",
        [PRESSURE_SHORT] = "short: no listener is let in",
        [PRESSURE_VERY_SHORT] = "very short: the lead is lowered as well",
    };
    bool better = before == PRESSURE_VERY_SHORT && warden->pressure.level == PRESSURE_SHORT;
    unsigned long long mib = headroom >> 20, reserve = warden->pressure.reserve_bytes >> 20;
    void (*say)(const char *format, ...) = warden->pressure.level == PRESSURE_NONE ? log_info : log_warn;
    say("memory is %s; %llu MiB are left, %llu MiB are to be",
        better ? "there again: the lead rises, listeners are let in if it stays" : words[warden->pressure.level], mib,
        reserve);
}

// At most once a second, however many there are.
static void warden_tell_faults(struct warden *warden, const struct app *app)
{
    uint64_t faults = atomic_load(&net_stats(app->net)->memory_faults) +
                      atomic_load(&stream_stats(app->stream)->memory_faults);
    if (faults > warden->memory_faults)
        log_warn("memory: %llu listeners or requests were refused or ended for want of it",
                 (unsigned long long)(faults - warden->memory_faults));
    warden->memory_faults = faults;
}

void warden_look(struct warden *warden, struct app *app)
{
    uint64_t headroom = memory_headroom_bytes(&memory_system), now_ns = clock_now_ns(&app->clock);
    atomic_store(&warden->headroom_bytes, headroom);
    enum pressure_level before = warden->pressure.level;
    if (pressure_look(&warden->pressure, headroom, now_ns)) {
        warden_say(warden, headroom, before);
        atomic_store(&warden->level, (int)warden->pressure.level);
        stream_refuse(app->stream, warden->pressure.level != PRESSURE_NONE);
    }
    warden_follow_lead(warden, app, now_ns);
    sequencer_set_guard(app->sequencer, app_guard_frames(app));
    warden_tell_faults(warden, app);
}
