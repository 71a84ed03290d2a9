// The command as a person types it: exit status, files, the same bytes however it is asked for.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/frames.h"
#include "encode/encode.h"
#include "score/scene.h"
#include "station/encoding.h"
#include "tools/tools.h"

enum { FILE_MAX = 4 << 20, WAV_HEAD_BYTES = 44 };

static char directory[] = "/tmp/auralis-render-XXXXXX";
static char first[64], second[64], third[64];
static char bytes[2][FILE_MAX];

#define RENDER(...) render_words((char *[]){"render", "--quiet", __VA_ARGS__, NULL})
static int render_words(char **words)
{
    int count = 0;
    while (words[count])
        count++;
    return tool_render.run(count, words);
}

// What it says on standard error.
#define SAID(...) render_said((char *[]){"render", "--quiet", __VA_ARGS__, NULL})
static const char *render_said(char **words)
{
    static char said[1024];
    int before = dup(STDERR_FILENO), ends[2];
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    assert_int_not_equal(render_words(words), 0);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    ssize_t len = read(ends[0], said, sizeof said - 1);
    close(ends[0]);
    said[len > 0 ? len : 0] = '\0';
    return said;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static size_t contents(const char *path, char *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(out, 1, FILE_MAX, file);
    fclose(file);
    unlink(path);
    return len;
}

static void assert_same_files(void)
{
    size_t len = contents(first, bytes[0]);
    assert_true(len > 1000);
    assert_int_equal(contents(second, bytes[1]), len);
    assert_memory_equal(bytes[0], bytes[1], len);
}

static int set_up(void **state)
{
    if (!mkdtemp(directory))
        return -1;
    snprintf(first, sizeof first, "%s/first.wav", directory);
    snprintf(second, sizeof second, "%s/second.wav", directory);
    snprintf(third, sizeof third, "%s/third.wav", directory);
    return 0;
}

static int tear_down(void **state)
{
    return rmdir(directory);
}

static void how_it_is_cut_makes_no_difference(void **state)
{
    static char *const options[][2] = {{"--block", "1"}, {"--block", "17"}, {"--simd", "scalar"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        assert_int_equal(RENDER("--start", "2.0123", "--duration", ".7", "--out", first), 0);
        assert_int_equal(RENDER("--start", "2.0123", "--duration", ".7", "--out", second, options[i][0],
                                options[i][1]), 0);
        assert_same_files();
    }
}

// Over the end of an epoch, 602 s, where the work is cut: a stretch within one is a single thread's. The station woke
// shortly before, so that little has to be rendered ahead of it.
static void threads_make_no_difference(void **state)
{
    write_text(third, "{\"seed\":\"5\",\"entries\":[{\"sequence\":0,\"at_frame\":0,\"parameters\":{}},"
                      "{\"sequence\":1,\"at_frame\":28704000,\"wake_frame\":28704000,\"parameters\":{}}]}");
    assert_int_equal(RENDER("--log", third, "--start", "601.5", "--duration", "1", "--out", first, "--threads", "1"),
                     0);
    assert_int_equal(RENDER("--log", third, "--start", "601.5", "--duration", "1", "--out", second, "--threads", "4"),
                     0);
    unlink(third);
    assert_same_files();
}

static void pieces_make_up_the_whole(void **state)
{
    assert_int_equal(RENDER("--start", "3", "--duration", "1", "--out", first), 0);
    size_t whole = contents(first, bytes[0]);
    assert_int_equal(RENDER("--start", "3.25", "--duration", ".5", "--out", second), 0);
    size_t part = contents(second, bytes[1]);
    assert_int_equal(whole, WAV_HEAD_BYTES + FRAME_RATE * 4);
    assert_int_equal(part, WAV_HEAD_BYTES + FRAME_RATE / 2 * 4);
    assert_memory_equal(bytes[0] + WAV_HEAD_BYTES + FRAME_RATE, bytes[1] + WAV_HEAD_BYTES, part - WAV_HEAD_BYTES);
}

static void a_file_holds_what_a_listener_gets(void **state)
{
    struct mood mood = scene_mood(&scenes[0]);
    struct mood_log log;
    struct encoding encoding;
    uint8_t chunk[CHUNK_FRAMES * 4];
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    struct program program = {.seed = 1, .log = &log};
    assert_int_equal(encoding_init(&encoding, &program, backend_best(), &encoder_pcm, 10 * CHUNK_FRAMES), STATUS_OK);
    struct encode_output output = {.bytes = chunk};
    assert_int_equal(encoding_next(&encoding, &output), STATUS_OK);
    assert_int_equal(RENDER("--start", "1", "--duration", ".1", "--out", first), 0);
    assert_int_equal(contents(first, bytes[0]), WAV_HEAD_BYTES + sizeof chunk);
    assert_memory_equal(bytes[0] + WAV_HEAD_BYTES, chunk, sizeof chunk);
    encoding_finish(&encoding);
    mood_log_finish(&log);
}

#define LOG "{\"seed\":\"5\",\"entries\":[{\"sequence\":0,\"at_frame\":0,\"parameters\":{\"bpm\":50}}]}"

static void a_log_takes_the_place_of_seed_and_mood(void **state)
{
    write_text(second, LOG);
    assert_int_equal(RENDER("--log", second, "--duration", "1", "--out", first), 0);
    assert_int_equal(RENDER("--log", second, "--duration", "1", "--out", first, "--set", "bpm=60"), 2);
    unlink(second);
    assert_int_equal(RENDER("--seed", "5", "--set", "bpm=50", "--duration", "1", "--out", second), 0);
    assert_same_files();
}

static void a_log_is_named_when_it_is_to_blame(void **state)
{
    write_text(second, LOG);
    static const char begin[] = "auralis render: --simd: ";
    assert_memory_equal(SAID("--log", second, "--simd", "mmx", "--hash"), begin, strlen(begin));
    write_text(second, "{");
    assert_non_null(strstr(SAID("--log", second, "--hash"), "second.wav: no JSON: "));
    assert_int_equal(truncate(second, 1 << 30), 0);
    assert_non_null(strstr(SAID("--log", second, "--hash"), "second.wav: it is larger than 256 MiB"));
    unlink(second);
}

static void write_scale(const char *minor_third)
{
    FILE *file = fopen(second, "w");
    fprintf(file, "! mine.scl\nMine\n12\n100.0\n200.0\n%s\n400.0\n500.0\n600.0\n700.0\n800.0\n900.0\n1000.0\n"
                  "1100.0\n2/1\n", minor_third);
    fclose(file);
}

// A scale is heard, unless another tuning is asked for.
static void a_scale_tunes(void **state)
{
    char equal[FILE_MAX / 16];
    write_scale("300.0");
    assert_int_equal(RENDER("--scala", second, "--start", "5", "--duration", ".5", "--out", first), 0);
    size_t len = contents(first, bytes[0]);
    memcpy(equal, bytes[0], len < sizeof equal ? len : sizeof equal);
    assert_int_equal(RENDER("--start", "5", "--duration", ".5", "--out", first), 0);
    contents(first, bytes[0]);
    assert_memory_equal(bytes[0], equal, len < sizeof equal ? len : sizeof equal);
    write_scale("330.0");
    assert_int_equal(RENDER("--scala", second, "--start", "5", "--duration", ".5", "--out", first), 0);
    contents(first, bytes[0]);
    assert_memory_not_equal(bytes[0], equal, len < sizeof equal ? len : sizeof equal);
    assert_int_equal(RENDER("--scala", second, "--set", "tuning=equal", "--start", "5", "--duration", ".5", "--out",
                            first), 0);
    contents(first, bytes[0]);
    assert_memory_equal(bytes[0], equal, len < sizeof equal ? len : sizeof equal);
    write_scale("nothing");
    assert_int_equal(RENDER("--scala", second, "--duration", ".5", "--out", first), 2);
    unlink(second);
    assert_int_equal(RENDER("--scala", second, "--duration", ".5", "--out", first), 1);
}

static void the_score_is_written_with_or_without_sound(void **state)
{
    assert_int_equal(RENDER("--start", "5", "--duration", "1", "--midi", first), 0);
    assert_int_equal(RENDER("--start", "5", "--duration", "1", "--midi", second, "--out", third), 0);
    assert_int_equal(contents(third, bytes[0]), WAV_HEAD_BYTES + FRAME_RATE * 4);
    size_t len = contents(first, bytes[0]);
    assert_int_equal(contents(second, bytes[1]), len);
    assert_memory_equal(bytes[0], bytes[1], len);
    assert_memory_equal(bytes[0], "MThd", 4);
    assert_int_equal(RENDER("--duration", "1", "--midi", "/nowhere/x.mid", "--out", first), 1);
    assert_int_equal(access(first, F_OK), -1);
}

static void contradictions_are_told(void **state)
{
    assert_non_null(strstr(SAID("--hash", "--start", "5", "--from", "48000"), "--start and --from: one"));
    assert_non_null(strstr(SAID("--hash", "--station", "main"), "--station is for --data-dir"));
    assert_non_null(strstr(SAID("--hash", "--station", "main", "--log", "x.json"), "--station is for --data-dir"));
    assert_non_null(strstr(SAID("--hash", "--log", "x.json", "--data-dir", "x"), "--log and --data-dir: one"));
    assert_non_null(strstr(SAID("--hash", "--data-dir", "/nowhere"), "'main' in /nowhere"));
}

static void mistakes_are_refused(void **state)
{
    assert_int_equal(RENDER("--duration", "0", "--out", first), 2);
    assert_int_equal(RENDER("--start", "-1", "--out", first), 2);
    assert_int_equal(RENDER("--block", "4801", "--out", first), 2);
    assert_int_equal(RENDER("--format", "s8", "--out", first), 2);
    assert_int_equal(RENDER("--duration", "1"), 2);
    assert_int_equal(RENDER("--out", "x.mp3"), 2);
    assert_int_equal(RENDER("--out", "/nowhere/x.wav"), 1);
    assert_int_equal(RENDER("--out", first, "--scene", "nothing"), 2);
    assert_int_equal(RENDER("--out", first, "--set", "bpm=1"), 2);
    assert_int_equal(RENDER("--out", first, "--simd", "mmx"), 2);
    assert_int_equal(RENDER("--out", first, "--log", "/nowhere.json"), 1);
    assert_int_equal(access(first, F_OK), -1);
    assert_int_equal(mkdir(first, 0700), 0);
    assert_non_null(strstr(SAID("--out", first, "--duration", "1e7"), "first.wav: cannot be written: Is a directory"));
    assert_int_equal(rmdir(first), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_it_is_cut_makes_no_difference), cmocka_unit_test(threads_make_no_difference),
        cmocka_unit_test(pieces_make_up_the_whole),
        cmocka_unit_test(a_file_holds_what_a_listener_gets), cmocka_unit_test(a_log_takes_the_place_of_seed_and_mood),
        cmocka_unit_test(a_log_is_named_when_it_is_to_blame), cmocka_unit_test(a_scale_tunes),
        cmocka_unit_test(the_score_is_written_with_or_without_sound), cmocka_unit_test(contradictions_are_told),
        cmocka_unit_test(mistakes_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
