#include "os/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static atomic_int log_max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&log_max_level, (int)level);
}

// What came from outside must neither begin a line of its own nor steer a terminal.
static void log_make_one_line(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
}

// One write for a whole line, so that lines of several threads never mix.
__attribute__((format(printf, 3, 0))) static void log_line(enum log_level level, const char *name,
                                                           const char *format, va_list args)
{
    if ((int)level > atomic_load(&log_max_level))
        return;
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    char line[1024];
    size_t at = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
    at += (size_t)snprintf(line + at, sizeof line - at, ".%03ldZ %s ", now.tv_nsec / 1000000, name);
    int n = vsnprintf(line + at, sizeof line - at - 1, format, args);
    size_t len = n < 0 ? at : at + (size_t)n;
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    log_make_one_line(line + at, len - at);
    line[len] = '\n';
    fwrite(line, 1, len + 1, stderr);
}

#define LOG_FUNCTION(function, level, name)      \
    void function(const char *format, ...)       \
    {                                            \
        va_list args;                            \
        va_start(args, format);                  \
        log_line(level, name, format, args);     \
        va_end(args);                            \
    }

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR, "error")
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN, "warn")
LOG_FUNCTION(log_info, LOG_LEVEL_INFO, "info")
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG, "debug")
