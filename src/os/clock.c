#include "os/clock.h"

#include <time.h>

#include "base/check.h"
#include "base/frames.h"

static uint64_t clock_read_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static uint64_t clock_boot_ns(void)
{
#ifdef CLOCK_BOOTTIME
    return clock_read_ns(CLOCK_BOOTTIME);
#else
    return clock_read_ns(CLOCK_MONOTONIC);
#endif
}

void clock_init(struct clock *clock, double speed)
{
    check(speed > 0 && speed <= 1000);
    uint64_t now = clock_boot_ns();
    *clock = (struct clock){
        .speed = speed,
        .start_real_ns = now,
        .unix_offset_ns = (int64_t)(clock_read_ns(CLOCK_REALTIME) - now),
    };
}

void clock_init_virtual(struct clock *clock, uint64_t now_ns, int64_t unix_ns)
{
    *clock = (struct clock){.unix_offset_ns = unix_ns - (int64_t)now_ns, .virtual_ns = now_ns};
}

void clock_advance(struct clock *clock, uint64_t ns)
{
    atomic_fetch_add(&clock->virtual_ns, ns);
}

uint64_t clock_now_ns(const struct clock *clock)
{
    if (clock->speed == 0)
        return atomic_load(&clock->virtual_ns);
    uint64_t real = clock_boot_ns();
    if (clock->speed == 1)
        return real;
    return clock->start_real_ns + (uint64_t)((double)(real - clock->start_real_ns) * clock->speed);
}

int64_t clock_unix_ns(const struct clock *clock)
{
    return (int64_t)clock_now_ns(clock) + clock->unix_offset_ns;
}

int64_t clock_system_unix_ns(void)
{
    return (int64_t)clock_read_ns(CLOCK_REALTIME);
}

int clock_minute_of_day(int64_t unix_ns)
{
    time_t seconds = (time_t)(unix_ns / (int64_t)NS_PER_SECOND);
    struct tm day;
    return localtime_r(&seconds, &day) ? day.tm_hour * 60 + day.tm_min : 12 * 60;
}

uint64_t clock_delay_ns(const struct clock *clock, uint64_t at_ns)
{
    uint64_t now = clock_now_ns(clock);
    if (now >= at_ns || clock->speed == 0)
        return 0;
    double real = (double)(at_ns - now) / clock->speed;
    return real < 0x1p62 ? (uint64_t)real + 1 : UINT64_C(1) << 62;
}

uint64_t clock_thread_cpu_ns(void)
{
    return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_process_cpu_ns(void)
{
    return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}
