#include "tools/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/frames.h"
#include "base/text.h"

enum { LINE_BYTES = 256, COLUMNS = 80, BAR_LEAST = 8, BAR_MOST = 40 };

void progress_init(struct progress *progress, const struct clock *clock, int descriptor, bool quiet)
{
    *progress = (struct progress){.clock = clock, .descriptor = descriptor, .wanted = !quiet && isatty(descriptor)};
}

// "4:12", "1:04:12"; what is less than a second is left out.
static void progress_time(struct text *text, double seconds)
{
    unsigned long long whole = (unsigned long long)seconds;
    if (whole >= 3600)
        text_printf(text, "%llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
    else
        text_printf(text, "%llu:%02llu", whole / 60, whole % 60);
}

// 0 .. 1
static double progress_share(const struct progress *progress, double done)
{
    return progress->total > 0 ? done / progress->total : 1;
}

static void progress_facts(const struct progress *progress, double done, double took_s, struct text *text)
{
    text_printf(text, "%3.0f %%  ", floor(progress_share(progress, done) * 100));
    if (progress->kind == PROGRESS_SOUND) {
        progress_time(text, done);
        text_add(text, " of ");
        progress_time(text, progress->total);
    } else {
        text_printf(text, "%.0f of %.0f", done, progress->total);
    }
    if (done <= 0 || took_s <= 0)
        return;
    if (progress->kind == PROGRESS_SOUND)
        text_printf(text, "  %.*f x real time", done / took_s < 10 ? 1 : 0, done / took_s);
    text_add(text, "  ");
    progress_time(text, ceil(took_s * (progress->total - done) / done));
    text_add(text, " left");
}

// The last column stays free: some terminals begin a new line there.
static int progress_columns(const struct progress *progress)
{
    struct winsize size;
    int columns = ioctl(progress->descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : COLUMNS;
    return (columns < LINE_BYTES / 2 ? columns : LINE_BYTES / 2) - 1;
}

static void progress_line(const struct progress *progress, double done, double took_s, struct text *line)
{
    static const char bar[] = "########################################";
    char bytes[LINE_BYTES];
    struct text facts = text_on(bytes, sizeof bytes);
    progress_facts(progress, done, took_s, &facts);
    int columns = progress_columns(progress), len = (int)facts.len, width = columns - len - 4;
    width = width < BAR_MOST ? width : BAR_MOST;
    int full = (int)(progress_share(progress, done) * width);
    if (width >= BAR_LEAST)
        text_printf(line, "[%.*s%*s] ", full, bar, width - full, "");
    text_append(line, bytes, (size_t)(len < columns ? len : columns));
}

static void progress_draw(struct progress *progress, double done, uint64_t now_ns)
{
    char bytes[LINE_BYTES];
    struct text line = text_on(bytes, sizeof bytes);
    progress_line(progress, done, (double)(now_ns - progress->start_ns) / 1e9, &line);
    int width = (int)line.len;
    dprintf(progress->descriptor, "\r%s%*s", bytes, progress->width > width ? progress->width - width : 0, "");
    progress->width = progress->width > width ? progress->width : width;
    progress->shown_ns = now_ns;
}

void progress_begin(struct progress *progress, enum progress_kind kind, double total)
{
    progress->kind = kind;
    progress->total = total;
    progress->start_ns = clock_now_ns(progress->clock);
    progress_show(progress, 0);
}

void progress_show(struct progress *progress, double done)
{
    if (!progress->wanted)
        return;
    uint64_t now_ns = clock_now_ns(progress->clock);
    if (progress->shown_ns > 0 && now_ns < progress->shown_ns + NS_PER_SECOND / 10)
        return;
    progress_draw(progress, done < 0 ? 0 : done > progress->total ? progress->total : done, now_ns);
}

void progress_clear(struct progress *progress)
{
    if (progress->width > 0)
        dprintf(progress->descriptor, "\r%*s\r", progress->width, "");
    progress->width = 0;
}
