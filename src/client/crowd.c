#include "client/crowd.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/frames.h"
#include "client/member.h"

enum {
    IN_FLIGHT_MAX = 64,          // connects under way at a time: a crowd, not an attack
    FIRST_PINGS = 8,
    FIRST_PING_MS = 25,
    PING_MS = 5000,
    LAG_MS = 10,
    TICK_MS = 250,
    LOOK_MS = 20,                // how often to look whether somebody has to come back
    GRACE_MS = 500,              // how long chunks that were due before the end may still arrive
    CONNECT_LIMIT_MS = 10000,
};  // real milliseconds

int64_t crowd_now_ns(const struct crowd *crowd)
{
    return (int64_t)clock_now_ns(&crowd->clock);
}

// What the clock gains while the loop waits.
static int64_t crowd_gain_ns(const struct crowd *crowd, int real_ms)
{
    return (int64_t)((double)real_ms * (double)NS_PER_MS * crowd->clock.speed);
}

void crowd_failure(struct crowd *crowd, const char *format, ...)
{
    if (crowd->report->failure[0] != '\0')
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(crowd->report->failure, sizeof crowd->report->failure, format, args);
    va_end(args);
}

void crowd_pong(struct crowd *crowd, double stamp, double t1_ms, double t2_ms, int64_t arrival_ns)
{
    double sent_ns = (double)crowd->start_ns + stamp * 1000;
    if (stamp >= 0 && sent_ns <= (double)arrival_ns)
        clock_map_sample(&crowd->map, (uint64_t)sent_ns, t1_ms, t2_ms, (uint64_t)arrival_ns);
}

static void crowd_stop(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void crowd_stall(uv_timer_t *timer)
{
    struct crowd *crowd = timer->data;
    for (int i = 0; i < crowd->started; i++)
        member_stall(&crowd->members[i]);
    if (crowd->config->stalled)
        crowd->config->stalled(crowd->config->context);
}

static uint64_t crowd_real_ms(const struct crowd *crowd, double seconds)
{
    return (uint64_t)(seconds * 1000 / crowd->clock.speed);
}

static void crowd_steer(uv_timer_t *timer)
{
    struct crowd *crowd = timer->data;
    uint64_t number = crowd->report->steers;
    for (int i = 0; i < crowd->started; i++) {
        if (crowd->members[i].state != MEMBER_OPEN)
            continue;
        crowd->steers[number % CROWD_STEERS] = (struct steer){.asked_ns = crowd_now_ns(crowd)};
        crowd->report->steers++;
        crowd->dialect->steer(&crowd->members[i], number);
        return;
    }
}

void crowd_steered(struct crowd *crowd, uint64_t number, uint32_t sequence)
{
    if (number < crowd->report->steers && number + CROWD_STEERS >= crowd->report->steers)
        crowd->steers[number % CROWD_STEERS].sequence = sequence;
}

int64_t crowd_asked_ns(const struct crowd *crowd, uint32_t sequence)
{
    for (int i = 0; i < CROWD_STEERS; i++)
        if (crowd->steers[i].sequence == sequence && sequence != 0)
            return crowd->steers[i].asked_ns;
    return 0;
}

// All are connected or refused: from now on time counts.
static void crowd_settled(struct crowd *crowd)
{
    const struct client_config *config = crowd->config;
    double whole_s = config->duration_s > 0 ? config->settle_s + config->duration_s : 0;
    bool worth_it = whole_s > 0 && crowd->open > 0;
    int64_t now_ns = crowd_now_ns(crowd);
    if (config->settled)
        config->settled(config->context, crowd->report->connected, crowd->report->failed);
    if (config->settle_s > 0)
        crowd->window.from_ns = now_ns + (int64_t)(config->settle_s * (double)NS_PER_SECOND);
    crowd->window.end_ns = now_ns + (int64_t)(whole_s * (double)NS_PER_SECOND);
    uv_timer_start(&crowd->stop_timer, crowd_stop, worth_it ? crowd_real_ms(crowd, whole_s) + GRACE_MS : 0, 0);
    if (config->stall_after_s > 0)
        uv_timer_start(&crowd->stall_timer, crowd_stall, crowd_real_ms(crowd, config->stall_after_s), 0);
    if (config->steer_s > 0 && crowd->dialect->steer)
        uv_timer_start(&crowd->steer_timer, crowd_steer, crowd_real_ms(crowd, config->settle_s + config->steer_s),
                       crowd_real_ms(crowd, config->steer_s));
}

// Ctrl-C: the time that was asked for is over. A second one ends the process.
static void crowd_interrupted(uv_signal_t *interrupt, int signal)
{
    struct crowd *crowd = interrupt->data;
    crowd->window.end_ns = crowd_now_ns(crowd);
    uv_timer_start(&crowd->stop_timer, crowd_stop, GRACE_MS, 0);
}

static void crowd_turn(uv_prepare_t *turn)
{
    struct crowd *crowd = turn->data;
    int wanted = crowd->config->listeners;
    while (crowd->started < wanted && crowd->started - crowd->settled < IN_FLIGHT_MAX) {
        int index = crowd->started++;
        member_start(&crowd->members[index], crowd, index);
    }
    if (crowd->settled == wanted && crowd->window.end_ns == INT64_MAX)
        crowd_settled(crowd);
}

// How much later than asked for this loop comes round: what its own lateness figures may owe to itself.
static void crowd_lag(uv_timer_t *timer)
{
    struct crowd *crowd = timer->data;
    int64_t now = crowd_now_ns(crowd), late = now - crowd->lag_last_ns - crowd_gain_ns(crowd, LAG_MS);
    histogram_record(&crowd->report->loop_lag, late > 0 ? (uint64_t)late : 0);
    crowd->lag_last_ns = now;
}

static struct member *crowd_next_open(struct crowd *crowd)
{
    for (int i = 1; i <= crowd->started; i++) {
        int index = (crowd->ping_last + i) % crowd->started;
        if (crowd->members[index].state == MEMBER_OPEN) {
            crowd->ping_last = index;
            return &crowd->members[index];
        }
    }
    return NULL;
}

static void crowd_ping(uv_timer_t *timer)
{
    struct crowd *crowd = timer->data;
    struct member *member = crowd_next_open(crowd);
    if (!member)
        return;
    char body[96];
    struct text text = text_on(body, sizeof body);
    crowd->dialect->ping(&text, (crowd_now_ns(crowd) - crowd->start_ns) / 1000);
    member_send_text(member, text.bytes, text.len);
    if (++crowd->pings == FIRST_PINGS)
        uv_timer_set_repeat(timer, PING_MS);
}

static void crowd_change(struct crowd *crowd, int64_t now)
{
    int64_t period_ns = (int64_t)(crowd->config->change_s * 1e9);
    for (int i = 0; i < crowd->started; i++) {
        struct member *member = &crowd->members[i];
        if (member->state != MEMBER_OPEN || now < member->change_ns)
            continue;
        member->change_ns += period_ns;
        crowd->dialect->change(member);
    }
}

static void crowd_look(uv_timer_t *timer)
{
    struct crowd *crowd = timer->data;
    int64_t now_ns = crowd_now_ns(crowd);
    for (int i = 0; i < crowd->started; i++)
        member_look(&crowd->members[i], now_ns);
}

static void crowd_tick(uv_timer_t *timer)
{
    struct crowd *crowd = timer->data;
    int64_t now = crowd_now_ns(crowd);
    for (int i = 0; i < crowd->started && crowd->settled < crowd->started; i++) {
        struct member *member = &crowd->members[i];
        if (member->state < MEMBER_OPEN && now - member->tally.connect_ns > crowd_gain_ns(crowd, CONNECT_LIMIT_MS))
            member_fail(member, "no answer for %d s", CONNECT_LIMIT_MS / 1000);
    }
    if (crowd->config->change_s > 0 && crowd->dialect->change)
        crowd_change(crowd, now);
    if (crowd->config->progress)
        crowd->config->progress(crowd->config->context, (double)(now - crowd->start_ns) / 1e9, crowd->open);
}

static void crowd_timer(struct crowd *crowd, uv_timer_t *timer, uv_timer_cb callback, int period_ms)
{
    uv_timer_init(&crowd->loop, timer);
    timer->data = crowd;
    if (callback)
        uv_timer_start(timer, callback, (uint64_t)period_ms, (uint64_t)period_ms);
}

static void crowd_close_handles(struct crowd *crowd)
{
    for (int i = 0; i < crowd->started; i++)
        member_end(&crowd->members[i]);
    uv_close((uv_handle_t *)&crowd->turn, NULL);
    uv_close((uv_handle_t *)&crowd->lag_timer, NULL);
    uv_close((uv_handle_t *)&crowd->ping_timer, NULL);
    uv_close((uv_handle_t *)&crowd->tick_timer, NULL);
    uv_close((uv_handle_t *)&crowd->stop_timer, NULL);
    uv_close((uv_handle_t *)&crowd->stall_timer, NULL);
    uv_close((uv_handle_t *)&crowd->steer_timer, NULL);
    uv_close((uv_handle_t *)&crowd->look_timer, NULL);
    uv_close((uv_handle_t *)&crowd->interrupt, NULL);
    uv_run(&crowd->loop, UV_RUN_DEFAULT);
}

void crowd_run(struct crowd *crowd)
{
    crowd->start_ns = crowd->lag_last_ns = crowd_now_ns(crowd);
    crowd->window.end_ns = INT64_MAX;
    crowd->window.from_ns = crowd->config->settle_s > 0 ? INT64_MAX : INT64_MIN;
    uv_prepare_init(&crowd->loop, &crowd->turn);
    crowd->turn.data = crowd;
    uv_prepare_start(&crowd->turn, crowd_turn);
    crowd_timer(crowd, &crowd->lag_timer, crowd_lag, LAG_MS);
    crowd_timer(crowd, &crowd->ping_timer, crowd_ping, FIRST_PING_MS);
    crowd_timer(crowd, &crowd->tick_timer, crowd_tick, TICK_MS);
    crowd_timer(crowd, &crowd->stop_timer, NULL, 0);
    crowd_timer(crowd, &crowd->stall_timer, NULL, 0);
    crowd_timer(crowd, &crowd->steer_timer, NULL, 0);
    crowd_timer(crowd, &crowd->look_timer, crowd->config->reconnect ? crowd_look : NULL, LOOK_MS);
    uv_signal_init(&crowd->loop, &crowd->interrupt);
    crowd->interrupt.data = crowd;
    uv_signal_start_oneshot(&crowd->interrupt, crowd_interrupted, SIGINT);
    uv_run(&crowd->loop, UV_RUN_DEFAULT);
    crowd_close_handles(crowd);
}
