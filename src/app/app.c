#include "app/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "app/capacity.h"
#include "app/certificate.h"
#include "app/routes.h"
#include "base/frames.h"
#include "encode/encode.h"
#include "os/file.h"
#include "os/handover.h"
#include "os/log.h"
#include "os/thread.h"

// From a change to its effect, and between two of them: real time, for that is what it takes to render a second of
// sound again and to send it to everybody.
enum { APP_GUARD_FRAMES = FRAME_RATE / 5, APP_APART_FRAMES = FRAME_RATE / 10 };

uint64_t app_playhead(const struct app *app)
{
    return frames_from_ns(clock_now_ns(&app->clock) - app->origin_ns);
}

uint64_t app_buffered_frames(const struct app *app)
{
    uint64_t covered = atomic_load(&station_stats(app->station)->covered_frames), playhead = app_playhead(app);
    return covered > playhead ? covered - playhead : 0;
}

static enum status app_refuse(enum status status, const char *what, const char *name)
{
    fprintf(stderr, "auralis: %s %s: %s\n", what, name, status_text(status));
    return status;
}

static enum status app_open_data(struct app *app)
{
    const char *directory = app->options.data_dir;
    enum status status = file_make_directory(directory);
    if (status == STATUS_OK)
        status = file_lock_directory(directory, &app->lock);
    if (status == STATUS_IN_USE) {
        fprintf(stderr, "auralis: another server uses the data directory %s\n", directory);
        return status;
    }
    if (status != STATUS_OK)
        return app_refuse(status, "cannot write to the data directory", directory);
    bool set_aside = false;
    status = store_open(&app->store, directory, &set_aside);
    if (status != STATUS_OK)
        return app_refuse(status, "cannot open the database in", directory);
    if (set_aside)
        log_warn("the database in %s was damaged: it was set aside and a new one begun", directory);
    return STATUS_OK;
}

static enum status app_read_secret(struct app *app)
{
    if (!app->options.jwt_secret_file)
        return STATUS_OK;
    size_t len = 0;
    enum status status = file_read(app->options.jwt_secret_file, app->jwt_secret, sizeof app->jwt_secret, &len);
    if (status != STATUS_OK)
        return app_refuse(status, "cannot read the secret in", app->options.jwt_secret_file);
    app->jwt_secret[strcspn(app->jwt_secret, "\r\n")] = '\0';
    if (!*app->jwt_secret) {
        fprintf(stderr, "auralis: the secret in %s is empty\n", app->options.jwt_secret_file);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

// Faults asked for by --inject: the renderer is wrapped by one that makes them.
static enum status app_inject(struct app *app)
{
    const struct argument_list *faults = &app->options.inject;
    if (faults->count == 0)
        return STATUS_OK;
    if (injection_create(&app->injection, app->backend) != STATUS_OK)
        return app_refuse(STATUS_MEMORY, "cannot inject", "faults");
    for (int i = 0; i < faults->count; i++)
        if (injection_add(app->injection, faults->items[i]) != STATUS_OK) {
            fprintf(stderr, "auralis serve: --inject: '%.60s' is not KIND@SECONDS+AMOUNT, such as render-error@30+1\n",
                    faults->items[i]);
            return STATUS_INVALID;
        }
    log_warn("the renderer will go wrong, as asked for by --inject");
    return STATUS_OK;
}

static void app_look_at_priorities(struct app *app)
{
    app->render_priority = thread_priority_of(THREAD_RENDER);
    app->io_priority = thread_priority_of(THREAD_IO);
    app->door_priority = thread_priority_of(THREAD_DOOR);
    if (!app->render_priority.granted)
        log_info("rendering and sending run at normal priority, for the system grants no more (setcap cap_sys_nice+ep, "
                 "or LimitNICE=-10 in a unit); what serves requests runs below them");
}

// Fewer listeners than wished for, or nothing at all, when too few descriptors may be open.
static enum status app_check_descriptors(struct app *app)
{
    unsigned long long limit = process_raise_descriptor_limit();
    int loops = app->options.loops > 0 ? (int)app->options.loops : thread_processors();
    if (limit < capacity_least_descriptors(loops)) {
        fprintf(stderr,
                "auralis: only %llu descriptors may be open, at least %llu are needed (ulimit -n, LimitNOFILE)\n",
                limit, (unsigned long long)capacity_least_descriptors(loops));
        return STATUS_FULL;
    }
    struct capacity capacity = capacity_of(limit, loops, (int)app->options.max_listeners);
    if (capacity.listeners < app->options.max_listeners)
        log_warn("room for %d listeners, not %lld: only %llu descriptors may be open (ulimit -n, LimitNOFILE)",
                 capacity.listeners, (long long)app->options.max_listeners, limit);
    app->options.max_listeners = capacity.listeners;
    app->door_sockets = capacity.door_sockets;
    return STATUS_OK;
}

// Of programme time, on a clock that may run faster than real time. Beyond what is rendered nothing has to be waited
// for.
static uint64_t app_real_frames(const struct app *app, uint64_t frames)
{
    uint64_t most = station_ahead_frames(app->options.lead_frames);
    double speed = app->options.clock_speed > 1 ? app->options.clock_speed : 1;
    uint64_t scaled = frames_round_up((uint64_t)((double)frames * speed), PACKET_FRAMES);
    return scaled < most ? scaled : most;
}

uint64_t app_guard_frames(const struct app *app)
{
    const struct histogram *splices = &station_stats(app->station)->splice_ns;
    uint64_t least = app_real_frames(app, APP_GUARD_FRAMES), slow = frames_from_ns(histogram_quantile(splices, .99));
    uint64_t wanted = slow + slow / 2, most = app->options.lead_frames;
    return wanted < least ? least : wanted < most ? wanted : most;
}

static enum status app_keep(void *context, const struct control_entry *entry)
{
    struct app *app = context;
    return recall_change(&app->recall, app, entry);
}

// With the faults that are asked for.
static const struct backend *app_station_backend(const struct app *app)
{
    return app->injection ? injection_backend(app->injection) : app->backend;
}

static enum status app_start_station(struct app *app)
{
    const struct store_station *programme = &app->recall.station;
    app->sequencer = sequencer_create(&(struct control_config){
        .clock = &app->clock,
        .origin_ns = app->origin_ns,
        .guard_frames = app_real_frames(app, APP_GUARD_FRAMES),
        .apart_frames = app_real_frames(app, APP_APART_FRAMES),
        .mood = programme->mood,
        .past = app->recall.past,
        .past_count = app->recall.past_count,
        .keep = app_keep,
        .keep_context = app,
    });
    recall_finish(&app->recall);
    app->timeline = station_timeline_create(app->options.lead_frames);
    if (!app->sequencer || !app->timeline)
        return app_refuse(STATUS_MEMORY, "cannot start the station", APP_STATION);
    enum status status = station_create(&app->station, &(struct station_config){
                                                           .name = APP_STATION,
                                                           .seed = app->seed,
                                                           .head = programme->head,
                                                           .mood = programme->mood,
                                                           .origin_ns = app->origin_ns,
                                                           .lead_frames = app->options.lead_frames,
                                                           .clock = &app->clock,
                                                           .backend = app_station_backend(app),
                                                           .timeline = app->timeline,
                                                           .sequencer = app->sequencer,
                                                           .keepsakes = *app->recall.keepsakes
                                                                            ? app->recall.keepsakes : NULL,
                                                           .identity = app->recall.identity,
                                                           .sleep_ns = (uint64_t)app->options.sleep_s * NS_PER_SECOND,
                                                           .asleep = app->recall.rested && app->giver < 0 &&
                                                                     app->options.sleep_s > 0,
                                                       });
    return status == STATUS_OK ? STATUS_OK : app_refuse(status, "cannot start the station", APP_STATION);
}

static enum status app_start_background(struct app *app)
{
    const struct background_station station = {.seed = app->seed, .head = app->recall.station.head,
                                               .sequencer = app->sequencer};
    app->tapes = tapes_create();
    app->errands = errands_create();
    enum status status = app->tapes && app->errands ? STATUS_OK : STATUS_MEMORY;
    if (status == STATUS_OK)
        status = background_create(&app->background, &(struct background_config){.stations = &station,
                                                                                 .station_count = 1,
                                                                                 .backend = app->backend,
                                                                                 .errands = app->errands});
    return status == STATUS_OK ? STATUS_OK : app_refuse(status, "cannot start", "ranges and previews");
}

static enum status app_start_stream(struct app *app)
{
    const struct options *options = &app->options;
    const struct stream_station station = {
        .name = APP_STATION,
        .seed = app->seed,
        .origin_ns = app->origin_ns,
        .lead_frames = options->lead_frames,
        .origin_unix_ns = app->recall.station.origin_unix_ns,
        .decoder_delay_frames = encoder_opus.decoder_delay_frames,
        .encoder_ids = {[FORMAT_OPUS] = encode_opus_id(FORMAT_OPUS), [FORMAT_OPUS_64] = encode_opus_id(FORMAT_OPUS_64),
                        [FORMAT_OPUS_32] = encode_opus_id(FORMAT_OPUS_32)},
        .timeline = app->timeline,
        .sequencer = app->sequencer,
    };
    enum status status = stream_create(&app->stream, &(struct stream_config){
                                                         .clock = &app->clock,
                                                         .stations = &station,
                                                         .station_count = 1,
                                                         .version = AURALIS_VERSION,
                                                         .max_listeners = (int)options->max_listeners,
                                                         .max_per_address = (int)options->max_per_address,
                                                         .max_attempts_v2 = (int)options->max_attempts,
                                                         .max_attempts_legacy = (int)options->max_attempts_legacy,
                                                         .limit_loopback = strcmp(options->limit_loopback, "on") == 0,
                                                         .jwt_secret = *app->jwt_secret ? app->jwt_secret : NULL,
                                                         .origins = options->origins,
                                                         .hosts = options->hosts,
                                                         .tapes = app->tapes,
                                                         .errands = app->errands,
                                                     });
    return status == STATUS_OK ? STATUS_OK : app_refuse(status, "cannot start", "streaming");
}

static enum status app_start_net(struct app *app)
{
    const struct options *options = &app->options;
    struct net_handlers handlers = stream_handlers(app->stream);
    SSL_CTX *tls;
    enum status status = certificate_load(&app->options, &tls);
    if (status != STATUS_OK)
        return status;
    handlers.request = routes_handle;
    handlers.takes_time = routes_take_time;
    handlers.request_context = app;
    status = net_create(&app->net, &(struct net_config){
                                                   .address = app->options.address,
                                                   .max_connections = (int)options->max_listeners,
                                                   .door_sockets = app->door_sockets,
                                                   .proxies = app->options.proxies,
                                                   .tls = tls,
                                                   .port = app->options.port,
                                                   .listener = app->taken,
                                                   .loops = (int)app->options.loops,
                                                   .clock = &app->clock,
                                                   .handlers = &handlers,
                                                   .server_name = "auralis/" AURALIS_VERSION,
                                                   .accept_rate = (int)options->accept_rate,
                                                   .max_sockets_per_address = (int)options->max_sockets_per_address,
                                                   .ping_s = (int)options->ping_s,
                                                   .limit_loopback = strcmp(options->limit_loopback, "on") == 0,
                                               });
    if (status == STATUS_OK && app->taken > 0 && options->port != 0 && options->port != net_port(app->net))
        log_warn("listening on port %u as the server before did; --listen %s is for one that has no other's place",
                 (unsigned)net_port(app->net), options->listen);
    app->taken = 0;
    if (status == STATUS_IN_USE) {
        fprintf(stderr, "auralis: %s is in use by another program; choose another with --listen ADDR:PORT\n",
                app->options.listen);
        return status;
    }
    if (status == STATUS_INVALID) {
        fprintf(stderr, "auralis: --listen %s: not an IPv4 or IPv6 address of this machine\n", app->options.listen);
        return status;
    }
    if (status != STATUS_OK)
        return app_refuse(status, "cannot listen on", app->options.listen);
    return STATUS_OK;
}

static enum status app_keep_programme(struct app *app)
{
    enum status status = recall_keep(&app->recall, app);
    return status == STATUS_OK ? STATUS_OK
                               : app_refuse(status, "cannot keep the programme in", app->options.data_dir);
}

// From now on listeners are let in. The programme of last time is given up for another one only now that nothing can
// fail any more.
static enum status app_open(struct app *app)
{
    enum status status = app->recall.goes_on ? app_keep_programme(app) : STATUS_OK;
    if (status == STATUS_OK)
        status = app_start_net(app);
    if (status == STATUS_OK && !app->recall.goes_on)
        status = app_keep_programme(app);
    if (status != STATUS_OK)
        return status;
    stream_attach(app->stream, app->net);
    app->handover = handover_open(app->handover_path);
    if (app->handover < 0)
        log_warn("no server will be able to take our place: %s cannot be listened at", app->handover_path);
    return STATUS_OK;
}

// It takes no change any more and leaves the data directory to us, but goes on until we can.
static enum status app_take_over(struct app *app)
{
    enum status status = handover_ask(app->handover_path, &app->giver, &app->taken);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return app_refuse(status, "cannot take the place of the server on", app->options.data_dir);
}

static void app_give(struct app *app, int asker)
{
    recall_allow(&app->recall, false);
    recall_reach(&app->recall, app);
    file_unlock(app->lock);
    app->lock = -1;
    app->asker = asker;
    log_info("another server is taking our place");
    (void)handover_give(asker, net_listener(app->net));   // if it has gone that is seen by the next look
}

// Returns whether another one has the data directory.
static bool app_take_back(struct app *app)
{
    log_warn("the server that was taking our place has gone");
    if (file_lock_directory(app->options.data_dir, &app->lock) == STATUS_IN_USE)
        return true;
    close(app->handover);
    app->handover = handover_open(app->handover_path);
    recall_allow(&app->recall, recall_is_ours(&app->recall, app));
    if (!app->recall.kept)
        log_error("it has left another programme: no change can be kept until the next start");
    return false;
}

bool app_hand_over(struct app *app)
{
    if (app->giver >= 0 && app_buffered_frames(app) >= app->options.lead_frames) {
        handover_ready(app->giver);
        app->giver = -1;
    }
    int asker = app->asker < 0 ? handover_asked(app->handover) : -1;
    if (asker >= 0)
        app_give(app, asker);
    if (app->asker < 0)
        return false;
    enum handover state = handover_look(app->asker);
    if (state == HANDOVER_WAITS)
        return false;
    close(app->asker);
    app->asker = -1;
    if (state == HANDOVER_GONE && !app_take_back(app))
        return false;
    log_info("another server has taken our place");
    close(app->handover);   // the file is the other one's
    app->handover = -1;
    return true;
}

enum status app_start(struct app *app, const struct options *options)
{
    *app = (struct app){.options = *options, .lock = -1, .handover = -1, .asker = -1, .giver = -1,
                         .seed = options->seed_value};
    if (snprintf(app->handover_path, PATH_MAX, "%s/auralis.sock", options->data_dir) >= PATH_MAX)
        return app_refuse(STATUS_INVALID, "cannot use the data directory", options->data_dir);
    app->backend = options->simd ? backend_find(options->simd) : backend_best();
    if (!options->seed && getrandom(&app->seed, sizeof app->seed, 0) != (ssize_t)sizeof app->seed)
        return app_refuse(STATUS_IO, "cannot draw", "a seed");
    app_look_at_priorities(app);
    enum status status = app_check_descriptors(app);
    if (status == STATUS_OK)
        status = app_inject(app);
    if (status == STATUS_OK)
        status = app_read_secret(app);
    if (status == STATUS_OK && options->takeover)
        status = app_take_over(app);
    if (status == STATUS_OK)
        status = app_open_data(app);
    if (status != STATUS_OK)
        return status;
    clock_init(&app->clock, options->clock_speed);
    app->started_ns = clock_now_ns(&app->clock);
    status = recall_programme(&app->recall, app);
    if (status != STATUS_OK)
        return app_refuse(status, "cannot read the programme in", options->data_dir);
    app->origin_ns = (uint64_t)app->recall.station.origin_boot_ns;
    app->seed = app->recall.station.seed;
    status = app_start_station(app);
    if (status == STATUS_OK)
        status = app_start_background(app);
    if (status == STATUS_OK)
        status = app_start_stream(app);
    warden_init(&app->warden, app);
    if (status == STATUS_OK)
        status = app_open(app);
    return status;
}

void app_stop(struct app *app)
{
    handover_close(app->handover, app->handover_path);
    if (app->taken > 0)
        close(app->taken);
    if (app->giver >= 0)
        close(app->giver);
    if (app->stream)
        stream_detach(app->stream);
    net_destroy(app->net);
    stream_destroy(app->stream);
    background_destroy(app->background);
    errands_destroy(app->errands);
    tapes_destroy(app->tapes);
    if (app->injection)
        injection_end(app->injection);
    station_destroy(app->station);
    injection_destroy(app->injection);
    timeline_destroy(app->timeline);
    sequencer_destroy(app->sequencer);
    store_close(app->store);
    file_unlock(app->lock);
}
