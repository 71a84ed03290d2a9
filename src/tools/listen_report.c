#include "tools/listen_report.h"

#include <math.h>

#include <jansson.h>

#include "base/frames.h"

static double quantile_ms(const struct histogram *histogram, double q)
{
    return (double)histogram_quantile(histogram, q) / (double)NS_PER_MS;
}

double listen_share_within(const struct client_report *report, double ms)
{
    if (report->chunks_expected == 0)
        return NAN;
    uint64_t good = histogram_count_within(&report->lateness, (uint64_t)(ms * (double)NS_PER_MS));
    double share = (double)good / (double)report->chunks_expected;
    return share < 1 ? share : 1;
}

bool listen_all_well(const struct listen_summary *summary)
{
    const struct client_report *report = summary->report;
    bool there = report->connected == report->listeners && report->connected > 0 && report->lost == 0 &&
                 report->silent == 0;
    bool whole = report->gaps == 0 && report->decode_errors == 0 && report->protocol_errors == 0 && report->stale == 0;
    const struct verify_result *verify = summary->verify;
    // Who was away when a change took effect, or too slow for what it made another, heard on what it had.
    bool replaced = !verify || verify->unreplaced <= report->outdated || report->reconnects > 0;
    bool equal = !verify || (verify->mismatches == 0 && replaced && verify->verified > 0);
    bool smooth = !summary->clicks || summary->clicks->clicks == 0;
    return there && whole && equal && smooth && summary->trouble[0] == '\0';
}

static void print_times(FILE *out, const char *name, const struct histogram *histogram, const double *quantiles,
                        int count)
{
    fprintf(out, "%-16s", name);
    if (histogram->count == 0) {
        fprintf(out, "nothing to measure\n");
        return;
    }
    for (int i = 0; i < count; i++)
        fprintf(out, "p%g %.2f  ", quantiles[i] * 100, quantile_ms(histogram, quantiles[i]));
    fprintf(out, "max %.2f ms\n", (double)histogram->max_ns / (double)NS_PER_MS);
}

static void print_on_time(const struct client_report *report, FILE *out)
{
    if (report->chunks_expected == 0)
        fprintf(out, "%-16sno chunk was due on its own: listen for longer than the lead\n", "on time");
    else
        fprintf(out, "%-16s%.3f %% within 20 ms, %.3f %% within 50 ms of due, %llu early by more than 100 ms\n",
                "on time", listen_share_within(report, 20) * 100, listen_share_within(report, 50) * 100,
                (unsigned long long)report->early);
}

static void print_rungs(const struct client_report *report, FILE *out)
{
    uint64_t all = 0;
    for (int i = FORMAT_OPUS; i < FORMAT_OPUS + FORMAT_OPUS_RUNGS; i++)
        all += report->format_chunks[i];
    if (all == 0)
        return;
    fprintf(out, "%-16s", "bit rate");
    for (int i = FORMAT_OPUS; i < FORMAT_OPUS + FORMAT_OPUS_RUNGS; i++)
        if (report->format_chunks[i] > 0)
            fprintf(out, "%u kb/s %.1f %%, ", format_bitrate((enum format)i) / 1000,
                    (double)report->format_chunks[i] / (double)all * 100);
    fprintf(out, "%llu changes\n", (unsigned long long)report->format_changes);
}

static void print_faults(const struct listen_summary *summary, FILE *out)
{
    const struct client_report *report = summary->report;
    fprintf(out, "%-16s%llu gaps, %llu decode errors, %llu protocol errors, %d lost, %d silent\n", "faults",
            (unsigned long long)report->gaps, (unsigned long long)report->decode_errors,
            (unsigned long long)report->protocol_errors, report->lost, report->silent);
    if (report->failure[0])
        fprintf(out, "%-16s%s\n", "first fault", report->failure);
    if (summary->verify)
        fprintf(out, "%-16s%llu messages are as seed and log say, %llu differ\n", "verified",
                (unsigned long long)summary->verify->verified, (unsigned long long)summary->verify->mismatches);
    if (report->reconnects > 0)
        fprintf(out, "%-16s%llu times lost, %llu resumed; %llu chunks came too late to be heard whole\n", "came back",
                (unsigned long long)report->reconnects, (unsigned long long)report->resumes,
                (unsigned long long)report->dry);
    if (report->splices > 0)
        fprintf(out, "%-16s%llu, and %llu chunks again, %llu of them too late to be heard whole\n", "changes",
                (unsigned long long)report->splices, (unsigned long long)report->superseded,
                (unsigned long long)report->late_switches);
    uint64_t unreplaced = summary->verify ? summary->verify->unreplaced : report->outdated;
    if (report->stale > 0 || unreplaced > 0)
        fprintf(out, "%-16s%llu chunks came when they were, %llu were never replaced\n", "out of date",
                (unsigned long long)report->stale, (unsigned long long)unreplaced);
    if (summary->verify && summary->verify->held > 0)
        fprintf(out, "%-16s%llu messages stand in for music that could not be rendered in time\n", "held",
                (unsigned long long)summary->verify->held);
    if (summary->verify && summary->verify->mismatches > 0)
        fprintf(out, "%-16sat frame or sequence %llu, listener %d\n", "first difference",
                (unsigned long long)summary->verify->first_frame, summary->verify->first_listener);
    if (summary->clicks)
        fprintf(out, "%-16s%zu in %.1f min; %zu sharp onsets of notes\n", "clicks", summary->clicks->clicks,
                (double)summary->clicks->watched_frames / FRAME_RATE / 60, summary->clicks->explained);
    if (summary->clicks && summary->clicks->clicks > 0)
        fprintf(out, "%-16sat frame %llu, %.1f times its surroundings\n", "first click",
                (unsigned long long)summary->clicks->first.frame, summary->clicks->first.ratio);
    if (summary->trouble[0])
        fprintf(out, "%-16s%s\n", "trouble", summary->trouble);
}

void listen_print_text(const struct listen_summary *summary, FILE *out)
{
    const struct client_report *report = summary->report;
    fprintf(out, "%-16s%d of %d connected (%s)\n", "listeners", report->connected, report->listeners, summary->format);
    fprintf(out, "%-16s%llu of %llu expected, and %llu in bursts; %.1f MB read\n", "chunks",
            (unsigned long long)report->chunks_received, (unsigned long long)report->chunks_expected,
            (unsigned long long)report->burst_chunks, (double)report->bytes / 1e6);
    print_rungs(report, out);
    print_on_time(report, out);
    print_times(out, "lateness", &report->lateness, (double[]){.5, .99, .999}, 3);
    print_times(out, "jitter", &report->jitter, (double[]){.5, .95, .99}, 3);
    print_times(out, "start-up", &report->start_up, (double[]){.5, .99}, 2);
    if (report->steers > 0)
        print_times(out, "control to ear", &report->control_to_ear, (double[]){.5, .99}, 2);
    print_times(out, "own loop lag", &report->loop_lag, (double[]){.5, .99}, 2);
    if (report->clock_error_ns >= 0)
        fprintf(out, "%-16sthe server's is known within %.3f ms\n", "clock", (double)report->clock_error_ns / 1e6);
    print_faults(summary, out);
}

static json_t *json_ms(double ms)
{
    return isfinite(ms) ? json_real(round(ms * 1e4) / 1e4) : json_null();
}

static json_t *json_times(const struct histogram *histogram)
{
    static const struct { const char *name; double q; } quantiles[] = {
        {"p50", .5}, {"p95", .95}, {"p99", .99}, {"p99_9", .999}};
    if (histogram->count == 0)
        return json_null();
    json_t *times = json_object();
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        json_object_set_new(times, quantiles[i].name, json_ms(quantile_ms(histogram, quantiles[i].q)));
    json_object_set_new(times, "max", json_ms((double)histogram->max_ns / (double)NS_PER_MS));
    return times;
}

static void json_counts(json_t *root, const struct client_report *report)
{
    const struct { const char *name; uint64_t value; } counts[] = {
        {"listeners", (uint64_t)report->listeners}, {"connected", (uint64_t)report->connected},
        {"failed", (uint64_t)report->failed}, {"lost", (uint64_t)report->lost}, {"silent", (uint64_t)report->silent},
        {"chunks_expected", report->chunks_expected}, {"chunks_received", report->chunks_received},
        {"burst_chunks", report->burst_chunks}, {"early", report->early}, {"gaps", report->gaps},
        {"gap_frames", report->gap_frames}, {"last_gap", report->last_gap}, {"superseded", report->superseded},
        {"bytes", report->bytes},
        {"reconnects", report->reconnects}, {"resumes", report->resumes}, {"dry", report->dry},
        {"splices", report->splices}, {"late_switches", report->late_switches}, {"outdated", report->outdated},
        {"stale", report->stale},
        {"format_changes", report->format_changes}, {"decode_errors", report->decode_errors},
        {"protocol_errors", report->protocol_errors},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        json_object_set_new(root, counts[i].name, json_integer((json_int_t)counts[i].value));
}

static json_t *json_formats(const struct client_report *report)
{
    json_t *formats = json_object();
    for (int i = 0; i < FORMAT_COUNT; i++) {
        json_int_t chunks = (json_int_t)report->format_chunks[i];
        if (chunks > 0)
            json_object_set_new(formats, format_name((enum format)i), json_integer(chunks));
    }
    return formats;
}

static json_t *json_count_or_null(const struct verify_result *verify, uint64_t count)
{
    return verify ? json_integer((json_int_t)count) : json_null();
}

static void json_clicks(json_t *root, const struct click_result *clicks)
{
    json_object_set_new(root, "clicks", clicks ? json_integer((json_int_t)clicks->clicks) : json_null());
    json_object_set_new(root, "first_click_frame", clicks && clicks->clicks > 0
                                                       ? json_integer((json_int_t)clicks->first.frame) : json_null());
    json_object_set_new(root, "sharp_onsets", clicks ? json_integer((json_int_t)clicks->explained) : json_null());
    json_object_set_new(root, "watched_s", clicks ? json_real((double)clicks->watched_frames / FRAME_RATE)
                                                  : json_null());
}

void listen_print_json(const struct listen_summary *summary, FILE *out)
{
    const struct client_report *report = summary->report;
    const struct verify_result *verify = summary->verify;
    json_t *root = json_object();
    json_object_set_new(root, "format", json_string(summary->format));
    json_counts(root, report);
    json_object_set_new(root, "format_chunks", json_formats(report));
    json_object_set_new(root, "share_within_20_ms", json_ms(listen_share_within(report, 20)));
    json_object_set_new(root, "share_within_50_ms", json_ms(listen_share_within(report, 50)));
    json_object_set_new(root, "lateness_ms", json_times(&report->lateness));
    json_object_set_new(root, "jitter_ms", json_times(&report->jitter));
    json_object_set_new(root, "start_up_ms", json_times(&report->start_up));
    json_object_set_new(root, "control_to_ear_ms", json_times(&report->control_to_ear));
    json_object_set_new(root, "loop_lag_ms", json_times(&report->loop_lag));
    double clock_error_ms = report->clock_error_ns < 0 ? NAN : (double)report->clock_error_ns / 1e6;
    json_object_set_new(root, "clock_error_ms", json_ms(clock_error_ms));
    json_object_set_new(root, "verified", json_count_or_null(verify, verify ? verify->verified : 0));
    json_object_set_new(root, "unreplaced", json_count_or_null(verify, verify ? verify->unreplaced : 0));
    json_object_set_new(root, "held", json_count_or_null(verify, verify ? verify->held : 0));
    json_object_set_new(root, "mismatches", json_count_or_null(verify, verify ? verify->mismatches : 0));
    json_clicks(root, summary->clicks);
    json_object_set_new(root, "failure", json_string(report->failure));
    json_object_set_new(root, "trouble", json_string(summary->trouble));
    json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    json_decref(root);
}
