#include "tools/listen_window.h"

#include "base/frames.h"
#include "wire/message.h"

static void window_begin(struct listen_window *window, double from_s)
{
    window->from_s = from_s;
    window->early = 0;
    histogram_init(&window->lateness);
}

void listen_window_init(struct listen_window *window, double every_s, bool json)
{
    *window = (struct listen_window){.every_s = every_s, .json = json};
    window_begin(window, 0);
}

void listen_window_add(struct listen_window *window, const struct client_chunk *chunk)
{
    int64_t late_ns = chunk->arrival_ns - chunk->due_ns;
    if (window->every_s <= 0 || chunk->burst || chunk->flags & MESSAGE_PREROLL)
        return;
    if (late_ns < -100 * (int64_t)NS_PER_MS)
        window->early++;
    else
        histogram_record(&window->lateness, late_ns > 0 ? (uint64_t)late_ns : 0);
}

static double share_within(const struct listen_window *window, uint64_t ms)
{
    uint64_t all = window->lateness.count + window->early;
    return all > 0 ? (double)histogram_count_within(&window->lateness, ms * NS_PER_MS) / (double)all : 0;
}

static double late_ms(const struct listen_window *window, double quantile)
{
    return (double)histogram_quantile(&window->lateness, quantile) / (double)NS_PER_MS;
}

void listen_window_look(struct listen_window *window, double elapsed_s, int connected, FILE *out)
{
    static const char *const shapes[] = {
        "%8.1f s  %d listening, %llu chunks, %.3f %% within 20 ms, %.3f %% within 50 ms, late p50 %.2f p99 %.2f "
        "max %.2f ms\n",
        "{\"elapsed_s\":%.1f,\"listening\":%d,\"chunks\":%llu,\"percent_within_20_ms\":%.4f,"
        "\"percent_within_50_ms\":%.4f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
    };
    if (window->every_s <= 0 || elapsed_s < window->from_s + window->every_s)
        return;
    fprintf(out, shapes[window->json], elapsed_s, connected,
            (unsigned long long)window->lateness.count + window->early, 100 * share_within(window, 20),
            100 * share_within(window, 50), late_ms(window, .5), late_ms(window, .99), late_ms(window, 1));
    fflush(out);
    window_begin(window, elapsed_s);
}
