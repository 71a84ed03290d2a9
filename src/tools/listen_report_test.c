#include "tools/listen_report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/frames.h"

static struct client_report report;
static struct verify_result verified;
static struct click_result clicks;
static struct listen_summary summary;

// Ten chunks expected, nine came: eight within 20 ms, one 30 ms late.
static int set_up(void **state)
{
    memset(&report, 0, sizeof report);
    report.listeners = report.connected = 1;
    report.chunks_expected = 10;
    report.chunks_received = 9;
    report.clock_error_ns = 20000;
    for (int i = 0; i < 8; i++)
        histogram_record(&report.lateness, 2 * NS_PER_MS);
    histogram_record(&report.lateness, 30 * NS_PER_MS);
    verified = (struct verify_result){.verified = 9};
    clicks = (struct click_result){.watched_frames = 90 * FRAME_RATE, .explained = 4};
    summary = (struct listen_summary){
        .format = "opus", .report = &report, .verify = &verified, .clicks = &clicks, .trouble = ""};
    return 0;
}

static char *printed(void (*print)(const struct listen_summary *, FILE *))
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&bytes, &len);
    print(&summary, out);
    fclose(out);
    return bytes;
}

static void missing_chunks_lower_the_share(void **state)
{
    assert_float_equal(listen_share_within(&report, 20), .8, 1e-9);
    assert_float_equal(listen_share_within(&report, 50), .9, 1e-9);
    report.chunks_expected = 0;
    assert_true(isnan(listen_share_within(&report, 20)));
}

static void each_fault_is_told_by_the_exit_status(void **state)
{
    assert_true(listen_all_well(&summary));
    uint64_t *const counts[] = {&report.gaps, &report.decode_errors, &report.protocol_errors, &verified.mismatches};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        *counts[i] = 1;
        assert_false(listen_all_well(&summary));
        *counts[i] = 0;
    }
    int *const people[] = {&report.lost, &report.silent};
    for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
        *people[i] = 1;
        assert_false(listen_all_well(&summary));
        *people[i] = 0;
    }
    clicks.clicks = 1;
    assert_false(listen_all_well(&summary));
    clicks.clicks = 0;
    verified.verified = 0;
    assert_false(listen_all_well(&summary));
    summary.verify = NULL;
    assert_true(listen_all_well(&summary));
    summary.trouble = "the disk is full";
    assert_false(listen_all_well(&summary));
    summary.trouble = "";
    report.listeners = 2;
    assert_false(listen_all_well(&summary));
    report.connected = report.listeners = 0;
    assert_false(listen_all_well(&summary));
}

static void json_has_every_figure(void **state)
{
    char *text = printed(listen_print_json);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "chunks_expected")), 10);
    assert_int_equal(json_integer_value(json_object_get(root, "chunks_received")), 9);
    assert_int_equal(json_integer_value(json_object_get(root, "verified")), 9);
    assert_int_equal(json_integer_value(json_object_get(root, "mismatches")), 0);
    assert_float_equal(json_number_value(json_object_get(root, "share_within_20_ms")), .8, 1e-6);
    assert_float_equal(json_number_value(json_object_get(json_object_get(root, "lateness_ms"), "max")), 30, 1e-6);
    assert_true(json_is_null(json_object_get(root, "jitter_ms")));
    assert_int_equal(json_integer_value(json_object_get(root, "clicks")), 0);
    assert_int_equal(json_integer_value(json_object_get(root, "sharp_onsets")), 4);
    assert_float_equal(json_number_value(json_object_get(root, "watched_s")), 90, 1e-6);
    json_decref(root);
    free(text);
}

static void what_was_not_measured_is_null(void **state)
{
    summary.verify = NULL;
    summary.clicks = NULL;
    report.chunks_expected = 0;
    report.clock_error_ns = -1;
    char *text = printed(listen_print_json);
    json_t *root = json_loads(text, 0, NULL);
    static const char *const names[] = {"verified", "mismatches", "share_within_20_ms", "clock_error_ms", "clicks"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(json_is_null(json_object_get(root, names[i])));
    json_decref(root);
    free(text);
}

static void bit_rates_are_told_where_there_were_any(void **state)
{
    report.format_chunks[FORMAT_OPUS] = 6;
    report.format_chunks[FORMAT_OPUS_32] = 2;
    report.format_changes = 1;
    char *text = printed(listen_print_text);
    assert_non_null(strstr(text, "128 kb/s 75.0 %, 32 kb/s 25.0 %, 1 changes"));
    free(text);
    text = printed(listen_print_json);
    json_t *root = json_loads(text, 0, NULL);
    const json_t *chunks = json_object_get(root, "format_chunks");
    assert_int_equal(json_object_size(chunks), 2);
    assert_int_equal(json_integer_value(json_object_get(chunks, "opus-32")), 2);
    assert_int_equal(json_integer_value(json_object_get(root, "format_changes")), 1);
    json_decref(root);
    free(text);
    report.format_chunks[FORMAT_OPUS] = report.format_chunks[FORMAT_OPUS_32] = 0;
    text = printed(listen_print_text);
    assert_null(strstr(text, "kb/s"));
    free(text);
}

static void people_are_told_what_went_wrong(void **state)
{
    strcpy(report.failure, "refused: 503 Full");
    verified.mismatches = 2;
    verified.first_frame = 4800;
    clicks.clicks = 3;
    clicks.first = (struct click){.frame = 77, .ratio = 5};
    char *text = printed(listen_print_text);
    assert_non_null(strstr(text, "refused: 503 Full"));
    assert_non_null(strstr(text, "9 messages are as seed and log say, 2 differ"));
    assert_non_null(strstr(text, "80.000 % within 20 ms, 90.000 % within 50 ms"));
    assert_non_null(strstr(text, "3 in 1.5 min; 4 sharp onsets of notes"));
    assert_non_null(strstr(text, "at frame 77, 5.0 times its surroundings"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(missing_chunks_lower_the_share, set_up),
        cmocka_unit_test_setup(each_fault_is_told_by_the_exit_status, set_up),
        cmocka_unit_test_setup(json_has_every_figure, set_up),
        cmocka_unit_test_setup(what_was_not_measured_is_null, set_up),
        cmocka_unit_test_setup(bit_rates_are_told_where_there_were_any, set_up),
        cmocka_unit_test_setup(people_are_told_what_went_wrong, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
