// The one source of time, injectable: real, scaled (a whole server at n times the speed), virtual (moved by hand).
// Times are nanoseconds since boot, suspended time included. Any thread may read; a virtual clock is set by its owner.
#pragma once
#include <stdatomic.h>
#include <stdint.h>

struct clock {
    double speed;               // 1: real; > 0: scaled; 0: virtual
    uint64_t start_real_ns;     // boot time at which the clock was made
    int64_t unix_offset_ns;     // unix time = now + offset
    _Atomic uint64_t virtual_ns;
};

// speed 1 follows the system's clock exactly.   0 < speed <= 1000.
void clock_init(struct clock *clock, double speed);
// Stands at now_ns until clock_advance. Unix time starts at unix_ns.
void clock_init_virtual(struct clock *clock, uint64_t now_ns, int64_t unix_ns);
void clock_advance(struct clock *clock, uint64_t ns);

uint64_t clock_now_ns(const struct clock *clock);
// Unix time of this clock: read once when the clock was made, then advancing with it, so it never steps.
int64_t clock_unix_ns(const struct clock *clock);
// Unix time as the machine has it now, which may step.
int64_t clock_system_unix_ns(void);
// 0..1439: the minute of the day that it is at a unix time in the time zone of the process.
int clock_minute_of_day(int64_t unix_ns);
// How long a thread really has to sleep until the clock shows at_ns, rounded up, at most 2^62; 0 only when that has
// passed or the clock is virtual.
uint64_t clock_delay_ns(const struct clock *clock, uint64_t at_ns);
// CPU time of the calling thread.
uint64_t clock_thread_cpu_ns(void);
// CPU time of the whole process.
uint64_t clock_process_cpu_ns(void);
