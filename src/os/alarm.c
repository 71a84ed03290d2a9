#include "os/alarm.h"

#include <stdbool.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/frames.h"

enum status alarm_init(struct alarm *alarm)
{
    alarm->descriptor = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    return alarm->descriptor >= 0 ? STATUS_OK : STATUS_IO;
}

void alarm_finish(struct alarm *alarm)
{
    if (alarm->descriptor >= 0)
        close(alarm->descriptor);
    alarm->descriptor = -1;
}

static uint64_t alarm_delay_ns(const struct clock *clock, uint64_t at_ns)
{
    uint64_t delay_ns = clock_delay_ns(clock, at_ns);
    bool grained = clock->speed != 1 && delay_ns < NS_PER_MS && clock_now_ns(clock) < at_ns;
    return grained ? NS_PER_MS : delay_ns;
}

// Setting a timer forgets that it has expired. Zero would stop it.
void alarm_set(const struct alarm *alarm, const struct clock *clock, uint64_t at_ns)
{
    struct itimerspec timer = {0};
    if (at_ns != UINT64_MAX) {
        uint64_t delay_ns = alarm_delay_ns(clock, at_ns);
        timer.it_value.tv_sec = (time_t)(delay_ns / NS_PER_SECOND);
        timer.it_value.tv_nsec = delay_ns > 0 ? (long)(delay_ns % NS_PER_SECOND) : 1;
    }
    check(timerfd_settime(alarm->descriptor, 0, &timer, NULL) == 0);
}
