#include "tools/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/frames.h"

void progress_init(struct progress *progress, bool quiet)
{
    *progress = (struct progress){.wanted = isatty(STDERR_FILENO) && !quiet};
    clock_init(&progress->clock, 1);
}

void progress_show(struct progress *progress, double share)
{
    static const char bar[] = "########################################";
    int width = sizeof bar - 1, full = (int)(share * width);
    if (!progress->wanted)
        return;
    uint64_t now = clock_now_ns(&progress->clock);
    if (progress->shown && now < progress->shown_ns + NS_PER_SECOND / 10)
        return;
    progress->shown_ns = now;
    progress->shown = true;
    fprintf(stderr, "\r[%.*s%*s] %3.0f %%", full, bar, width - full, "", share * 100);
}

void progress_clear(struct progress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r%50s\r", "");
    progress->shown = false;
}
