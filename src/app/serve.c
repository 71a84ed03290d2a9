#include "app/serve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/app.h"
#include "app/certificate.h"
#include "app/json_memory.h"
#include "base/frames.h"
#include "os/log.h"
#include "os/memory.h"
#include "score/scene.h"

enum { SERVE_DRAIN_S = 5, SERVE_DAY_S = 86400 };

// Without TLS there is nothing to read again, and SIGHUP means what it always does: the terminal is gone.
static sigset_t serve_signals(const struct options *options)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (certificate_wanted(options))
        sigaddset(&set, SIGHUP);
    return set;
}

// The signal that came within `seconds`, 0: none.
static int serve_wait_signal(const sigset_t *set, int seconds)
{
    const struct timespec limit = {.tv_sec = seconds};
    int got;
    do
        got = sigtimedwait(set, NULL, &limit);
    while (got < 0 && errno == EINTR);
    return got > 0 ? got : 0;
}

// Returns whether another server has taken our place.
static bool serve_until_told_to_stop(struct app *app, const sigset_t *set)
{
    int signal;
    for (int second = 1; (signal = serve_wait_signal(set, 1)) == 0 || signal == SIGHUP; second++) {
        if (app_hand_over(app))
            return true;
        if (signal == SIGHUP)
            certificate_reload(app);
        if (second % SERVE_DAY_S == 0)
            certificate_renew(app);
        if (second % APP_REACH_S == 0 && app->asker < 0)
            recall_reach(&app->recall, app);
        warden_look(&app->warden, app);
    }
    return false;
}

static void serve_announce(const struct app *app)
{
    const char *address = app->options.address;
    bool any = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
    bool six = strchr(address, ':') && !any;
    const char *scheme = certificate_wanted(&app->options) ? "https" : "http";
    printf("listening on %s://%s%s%s:%u\n", scheme, six ? "[" : "", any ? "localhost" : address, six ? "]" : "",
           (unsigned)net_port(app->net));
    fflush(stdout);
    struct mood mood = sequencer_mood(app->sequencer);
    log_info("auralis %s: station %s, scene %s, seed %llu, lead %lld s, %s, data in %s", AURALIS_VERSION, APP_STATION,
             scenes[mood.scene].name, (unsigned long long)app->seed, (long long)app->options.lead_s, app->backend->name,
             app->options.data_dir);
    recall_tell(&app->recall, &app->options);
    log_info("room for %lld listeners and %d other connections", (long long)app->options.max_listeners,
             app->door_sockets);
}

// Lets listeners end well: they are told, get what is due, and are closed. A second signal to stop cuts it short.
static void serve_drain(struct app *app, sigset_t set)
{
    sigdelset(&set, SIGHUP);
    log_info("stopping; %d listeners", stream_listeners(app->stream));
    net_stop_accepting(app->net);
    stream_drain(app->stream, "the server is stopping", SERVE_DRAIN_S * NS_PER_SECOND);
    for (int second = 0; second <= SERVE_DRAIN_S && stream_listeners(app->stream) > 0; second++)
        if (serve_wait_signal(&set, 1) != 0)
            return;
}

int serve_run(int argc, char **argv)
{
    static const char *const level_names[] = {"error", "warn", "info", "debug"};
    struct options options;
    int exit_status;
    if (!options_read(argc, argv, &options, &exit_status))
        return exit_status;
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
        if (strcmp(options.log_level, level_names[level]) == 0)
            log_set_level((enum log_level)level);
    sigset_t set = serve_signals(&options);
    pthread_sigmask(SIG_BLOCK, &set, NULL);  // before any thread starts, so that all of them inherit it
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);                // a file that may not grow is an error of the store, not an end
    memory_map_apart();
    struct app app;
    if (json_memory_claim() != STATUS_OK) {
        fprintf(stderr, "auralis: not enough memory to start\n");
        return 1;
    }
    bool started = app_start(&app, &options) == STATUS_OK;
    if (started) {
        serve_announce(&app);
        bool replaced = serve_until_told_to_stop(&app, &set);
        serve_drain(&app, set);
        if (!replaced)
            recall_reach(&app.recall, &app);
    }
    app_stop(&app);
    return started ? 0 : 1;
}
