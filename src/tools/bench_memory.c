// What one station holds: audio, encoders, packets.
#include <math.h>

#include "base/frames.h"
#include "station/programme.h"
#include "station/station.h"
#include "tools/bench.h"

static double mib(size_t bytes)
{
    return (double)bytes / (1 << 20);
}

static enum status memory_of_station(struct bench_output *output, uint64_t lead_s)
{
    struct clock clock;
    clock_init_virtual(&clock, 1000 * NS_PER_SECOND, 0);
    struct mood mood = mood_default();
    struct control_config control = {.clock = &clock, .origin_ns = 1000 * NS_PER_SECOND, .guard_frames = 9600,
                                     .apart_frames = CHUNK_FRAMES,
                                     .mood = mood};
    struct sequencer *sequencer = sequencer_create(&control);
    struct timeline *timeline = station_timeline_create(lead_s * FRAME_RATE);
    struct station_config config = {.name = "bench", .seed = 1, .mood = mood, .origin_ns = 1000 * NS_PER_SECOND,
                                    .lead_frames = lead_s * FRAME_RATE, .clock = &clock, .backend = backend_best(),
                                    .timeline = timeline, .sequencer = sequencer};
    struct station *station = NULL;
    enum status status = sequencer && timeline ? station_create(&station, &config) : STATUS_MEMORY;
    if (status == STATUS_OK) {
        size_t audio = station_bytes(station), packets = timeline_bytes(timeline);
        bench_value(output, mib(audio), "MiB", NULL, "audio, lead of %d s", (int)lead_s);
        bench_value(output, mib(station_snapshot_bytes(station)), "MiB", NULL, "of these snapshots, lead of %d s",
                    (int)lead_s);
        bench_value(output, mib(packets), "MiB", NULL, "packets, lead of %d s", (int)lead_s);
        bench_value(output, mib(audio + packets), "MiB", NULL, "in all, lead of %d s", (int)lead_s);
    }
    station_destroy(station);
    if (timeline)
        timeline_destroy(timeline);
    if (sequencer)
        sequencer_destroy(sequencer);
    return status;
}

static enum status memory_run(const struct bench_options *options, struct bench_output *output)
{
    bench_value(output, (double)synth_bytes() / 1024, "KiB", NULL, "one chain of the synthesiser");
    bench_value(output, (double)programme_bytes() / 1024, "KiB", "two chains", "a programme's state");
    enum status status = memory_of_station(output, 10);
    return status == STATUS_OK ? memory_of_station(output, 2) : status;
}

const struct bench bench_memory = {"memory", "what one station holds", memory_run};
