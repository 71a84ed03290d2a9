// `auralis bench`: how fast the parts are on this machine.
#include "tools/bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "os/clock.h"
#include "synth/backend.h"
#include "tools/arguments.h"
#include "tools/tools.h"

static const struct bench *const benches[] = {
    &bench_compose, &bench_fanout, &bench_memory, &bench_scenes, &bench_splice, &bench_stalled, &bench_stations,
    &bench_synth, &bench_units, &bench_voice,
};
enum { BENCHES = sizeof benches / sizeof *benches };

#define AT(field) offsetof(struct bench_options, field)
static const struct argument bench_arguments[] = {
    {.name = "NAME", .kind = ARGUMENT_POSITION, .offset = AT(name), .standard = "all",
     .help = "which one; without it they are only told about"},
    {.name = "listeners", .kind = ARGUMENT_TEXT, .offset = AT(listeners), .value = "N,N...",
     .standard = "10,100,1000,10000", .help = "fanout: how many at a time; stalled: the last of them"},
    {.name = "duration", .kind = ARGUMENT_NUMBER, .offset = AT(duration_s), .value = "S", .standard = "60", .min = 1,
     .max = 86400, .help = "fanout, splice, stalled: how long each is timed; fanout tells the median second as well"},
    {.name = "largest", .kind = ARGUMENT_FLAG, .offset = AT(largest),
     .help = "fanout: also look for the largest number of which 99 % come within 50 ms"},
    {.name = "list", .kind = ARGUMENT_FLAG, .offset = AT(list), .help = "print the names alone"},
    {.name = "json", .kind = ARGUMENT_FLAG, .offset = AT(json), .help = "the figures as JSON"},
};

static const struct argument_table bench_table = {
    "auralis bench [options] [NAME]",
    "Measures how fast the parts are on this machine, on one core unless it says otherwise. Cases are run in turn; "
    "`best` is the least of all runs, `median` the middle one, `mean` that of all; `value` is any other figure.",
    bench_arguments, sizeof bench_arguments / sizeof *bench_arguments};

static int bench_by_time(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static uint64_t bench_time(const struct bench_case *one)
{
    if (one->prepare)
        one->prepare(one->context);
    uint64_t start_ns = clock_thread_cpu_ns();
    one->run(one->context);
    return clock_thread_cpu_ns() - start_ns;
}

void bench_measure(struct bench_case *cases, int count, int repeats)
{
    static _Thread_local uint64_t times[BENCH_CASES_MAX][BENCH_REPEATS_MAX];
    for (int r = 0; r < repeats; r++)
        for (int c = 0; c < count; c++)
            times[c][r] = bench_time(&cases[c]);
    for (int c = 0; c < count; c++) {
        cases[c].mean_ns = 0;
        for (int r = 0; r < repeats; r++)
            cases[c].mean_ns += times[c][r] / (uint64_t)repeats;
        qsort(times[c], (size_t)repeats, sizeof times[c][0], bench_by_time);
        cases[c].least_ns = times[c][0];
        cases[c].median_ns = times[c][repeats / 2];
    }
}

static json_t *bench_add_row(struct bench_output *output, const char *unit, const char *note, const char *name,
                             va_list args)
{
    char text[BENCH_NAME_BYTES];
    check(vsnprintf(text, sizeof text, name, args) < (int)sizeof text);
    json_t *row = json_pack("{s:s, s:s}", "name", text, "unit", unit);
    json_object_set_new(row, "note", note ? json_string(note) : json_null());
    json_array_append_new(output->rows, row);
    return row;
}

static void bench_set(json_t *row, const char *column, double figure)
{
    json_object_set_new(row, column, isnan(figure) ? json_null() : json_real(figure));
}

void bench_best(struct bench_output *output, double best, double median, const char *unit, const char *note,
                const char *name, ...)
{
    va_list args;
    va_start(args, name);
    json_t *row = bench_add_row(output, unit, note, name, args);
    va_end(args);
    bench_set(row, "best", best);
    bench_set(row, "median", median);
}

void bench_mean(struct bench_output *output, double mean, const char *unit, const char *note, const char *name, ...)
{
    va_list args;
    va_start(args, name);
    bench_set(bench_add_row(output, unit, note, name, args), "mean", mean);
    va_end(args);
}

void bench_value(struct bench_output *output, double value, const char *unit, const char *note, const char *name, ...)
{
    va_list args;
    va_start(args, name);
    bench_set(bench_add_row(output, unit, note, name, args), "value", value);
    va_end(args);
}

static void bench_list(bool names_only)
{
    if (!names_only)
        printf("Usage: %s\n\n", bench_table.usage);
    for (int i = 0; i < BENCHES; i++)
        printf(names_only ? "%s\n" : "  %-10s %s\n", benches[i]->name, benches[i]->line);
}

static bool bench_has(const json_t *rows, const char *column)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
        if (json_object_get(row, column))
            return true;
    return false;
}

static void bench_print_figure(const json_t *row, const char *column)
{
    json_t *figure = json_object_get(row, column);
    if (json_is_real(figure))
        printf("%12.5g ", json_real_value(figure));
    else
        printf("%12s ", "");
}

static void bench_print(const struct bench *bench, const json_t *rows)
{
    static const char *const all[] = {"best", "median", "mean", "value"};
    const char *columns[sizeof all / sizeof *all];
    size_t count = 0, index;
    json_t *row;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (bench_has(rows, all[i]))
            columns[count++] = all[i];
    printf("%s: %s (best SIMD level here: %s)\n  %-34s ", bench->name, bench->line, backend_best()->name, "");
    for (size_t i = 0; i < count; i++)
        printf("%12s%s", columns[i], i + 1 < count ? " " : "\n");
    json_array_foreach(rows, index, row) {
        const char *note = json_string_value(json_object_get(row, "note"));
        printf("  %-34s ", json_string_value(json_object_get(row, "name")));
        for (size_t i = 0; i < count; i++)
            bench_print_figure(row, columns[i]);
        printf("%s%s%s\n", json_string_value(json_object_get(row, "unit")), note ? ", " : "", note ? note : "");
    }
}

static int bench_run(const struct bench *bench, const struct bench_options *options)
{
    struct bench_output output = {.rows = json_array()};
    enum status status = bench->run(options, &output);
    if (status != STATUS_OK) {
        fprintf(stderr, "auralis bench: %s: %s\n", bench->name, status_text(status));
    } else if (options->json) {
        json_t *root = json_pack("{s:s, s:s, s:O}", "bench", bench->name, "simd", backend_best()->name, "rows",
                                 output.rows);
        json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        fputc('\n', stdout);
        json_decref(root);
    } else {
        bench_print(bench, output.rows);
    }
    json_decref(output.rows);
    return status == STATUS_OK ? 0 : 1;
}

static int bench_main(int argc, char **argv)
{
    struct bench_options options;
    int exit_status;
    if (!arguments_begin(&bench_table, argc, argv, &options, &exit_status))
        return exit_status;
    if (options.list || strcmp(options.name, "all") == 0) {
        bench_list(options.list);
        return 0;
    }
    for (int i = 0; i < BENCHES; i++)
        if (strcmp(options.name, benches[i]->name) == 0)
            return bench_run(benches[i], &options);
    fprintf(stderr, "auralis bench: there is no '%.40s'; there are\n", options.name);
    for (int i = 0; i < BENCHES; i++)
        fprintf(stderr, "  %s\n", benches[i]->name);
    return 2;
}

const struct tool tool_bench = {"bench", "how fast the parts are on this machine", bench_main};
