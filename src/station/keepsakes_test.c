// Snapshots that outlive their process: restored whole or not at all.
#include "station/keepsakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ID = 77 };

static char directory[] = "/tmp/auralis-keepsakes-test-XXXXXX", path[96];

struct player {
    struct mood_log log;
    struct program program;
    struct programme *programme;
    struct snapshots snapshots;
    struct keepsakes keepsakes;
};

static struct player *player_begin(uint64_t identity)
{
    struct player *player = calloc(1, sizeof *player);
    struct mood mood = mood_default();
    assert_int_equal(mood_log_init(&player->log, &mood), STATUS_OK);
    player->program = (struct program){.seed = 3, .log = &player->log};
    player->programme = aligned_alloc(64, programme_bytes());
    assert_int_equal(snapshots_init(&player->snapshots, 4, programme_part_bytes()), STATUS_OK);
    keepsakes_init(&player->keepsakes, path, identity);
    return player;
}

static void player_end(struct player *player)
{
    keepsakes_finish(&player->keepsakes);
    snapshots_finish(&player->snapshots);
    mood_log_finish(&player->log);
    free(player->programme);
    free(player);
}

static void render(struct player *player, uint64_t frames, float *last)
{
    for (uint64_t done = 0; done < frames; done += CHUNK_FRAMES)
        programme_render(player->programme, &player->program, backend_best(), last, CHUNK_FRAMES);
}

static void take(struct player *player)
{
    snapshots_add(&player->snapshots, programme_frame(player->programme), programme_parts(player->programme));
    for (int part = 0; part < programme_parts(player->programme); part++)
        programme_save(player->programme, part, snapshots_cell(&player->snapshots, part));
}

// Waits until it is written.
static void write_whole(struct player *player)
{
    keepsakes_write(&player->keepsakes, &player->snapshots, &player->log);
    while (atomic_load(&player->keepsakes.busy))
        usleep(1000);
}

static bool restore(struct player *player, uint64_t frame)
{
    uint64_t begin = programme_begin_frame(&player->program, frame);
    return keepsakes_restore(&player->keepsakes, player->programme, &player->log, begin, frame);
}

// Writes snapshots at 2 s and, where asked for, 124 s, and what a chunk sounds like 2 s after the last.
static void leave_behind(bool both, float *sound)
{
    struct player *player = player_begin(ID);
    programme_start(player->programme, &player->program, 0);
    render(player, 2 * FRAME_RATE, sound);
    take(player);
    write_whole(player);
    if (both) {
        render(player, 122 * FRAME_RATE, sound);
        snapshots_forget(&player->snapshots);
        take(player);
        write_whole(player);
    }
    render(player, 2 * FRAME_RATE, sound);
    player_end(player);
}

static void assert_goes_on(struct player *player, const float *sound)
{
    float own[CHUNK_FRAMES * CHANNELS];
    render(player, 2 * FRAME_RATE, own);
    assert_memory_equal(own, sound, sizeof own);
}

static int empty(void **state)
{
    unlink(path);
    return 0;
}

static void a_programme_goes_on_from_the_latest(void **state)
{
    float sound[CHUNK_FRAMES * CHANNELS];
    leave_behind(true, sound);
    struct player *player = player_begin(ID);
    assert_true(restore(player, 300 * FRAME_RATE));
    assert_true(programme_frame(player->programme) == 124 * FRAME_RATE);
    assert_goes_on(player, sound);
    assert_true(restore(player, 123 * FRAME_RATE));
    assert_true(programme_frame(player->programme) == 2 * FRAME_RATE);
    assert_false(restore(player, FRAME_RATE));
    assert_false(restore(player, 700 * FRAME_RATE));   // another epoch
    player_end(player);
}

static void two_chains_are_kept_as_well(void **state)
{
    float sound[CHUNK_FRAMES * CHANNELS], own[CHUNK_FRAMES * CHANNELS];
    struct player *before = player_begin(ID), *after = player_begin(ID);
    uint64_t frame = PROGRAMME_EPOCH_FRAMES - 10 * FRAME_RATE;
    programme_start(before->programme, &before->program, 0);
    render(before, frame, sound);
    assert_int_equal(programme_parts(before->programme), 2);
    take(before);
    write_whole(before);
    render(before, 11 * FRAME_RATE, sound);
    assert_true(restore(after, frame + FRAME_RATE));
    render(after, 11 * FRAME_RATE, own);
    assert_memory_equal(own, sound, sizeof own);
    player_end(before);
    player_end(after);
}

static void what_is_anothers_is_not_taken(void **state)
{
    float sound[CHUNK_FRAMES * CHANNELS];
    leave_behind(false, sound);
    struct player *player = player_begin(ID + 1);
    assert_false(restore(player, 3 * FRAME_RATE));
    player_end(player);
}

// Another log than that which it knew, as of a database that was put back.
static void what_knew_another_log_is_not_taken(void **state)
{
    for (int same = 0; same < 2; same++) {
        float sound[CHUNK_FRAMES * CHANNELS];
        struct player *before = player_begin(ID), *after = player_begin(ID);
        struct mood mood = mood_default();
        mood.intensity = 0.7;
        assert_int_equal(mood_log_append(&before->log, 1, FRAME_RATE, &mood), STATUS_OK);
        mood.intensity = same ? 0.7 : 0.70001;
        assert_int_equal(mood_log_append(&after->log, 1, FRAME_RATE, &mood), STATUS_OK);
        programme_start(before->programme, &before->program, 0);
        render(before, 2 * FRAME_RATE, sound);
        take(before);
        write_whole(before);
        assert_int_equal(restore(after, 3 * FRAME_RATE), same);
        player_end(before);
        player_end(after);
    }
}

// Of before a waking, though where a render that leads on from there would have begun already.
static void what_is_of_before_a_waking_is_not_taken(void **state)
{
    float sound[CHUNK_FRAMES * CHANNELS];
    leave_behind(false, sound);
    struct player *player = player_begin(ID);
    struct mood_entry waking = {.sequence = 1, .at_frame = 3 * FRAME_RATE, .wake_frame = 3 * FRAME_RATE,
                                .mood = mood_default()};
    assert_int_equal(mood_log_copy(&player->log, &waking), STATUS_OK);
    assert_true(programme_begin_frame(&player->program, 4 * FRAME_RATE) < 2 * FRAME_RATE);
    assert_false(restore(player, 4 * FRAME_RATE));
    assert_true(restore(player, 3 * FRAME_RATE - CHUNK_FRAMES));
    player_end(player);
}

// A change that it does not know, and that it would have had to; and one that comes later.
static void what_knew_too_little_is_not_taken(void **state)
{
    float sound[CHUNK_FRAMES * CHANNELS];
    leave_behind(false, sound);
    for (int later = 0; later < 2; later++) {
        struct player *player = player_begin(ID);
        struct mood mood = mood_default();
        mood.bpm = 99;
        uint64_t at = 2 * FRAME_RATE + (later ? CHUNK_FRAMES : 0);
        assert_int_equal(mood_log_append(&player->log, 1, at, &mood), STATUS_OK);
        assert_int_equal(restore(player, 3 * FRAME_RATE), later);
        player_end(player);
    }
}

static void flip(off_t at)
{
    unsigned char byte;
    FILE *file = fopen(path, "r+b");
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fread(&byte, 1, 1, file), 1);
    byte ^= 4;
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fwrite(&byte, 1, 1, file), 1);
    fclose(file);
}

// The older one is taken instead, as long as there is one.
static void what_is_not_whole_is_not_taken(void **state)
{
    float sound[CHUNK_FRAMES * CHANNELS];
    struct stat info;
    leave_behind(true, sound);
    struct player *player = player_begin(ID);
    off_t slot = 4096 + 2 * (off_t)programme_part_bytes();
    flip(slot + 4096 + (off_t)programme_part_bytes() - 1);
    assert_true(restore(player, 300 * FRAME_RATE));
    assert_true(programme_frame(player->programme) == 2 * FRAME_RATE);
    flip(4096 + 100000);
    assert_false(restore(player, 300 * FRAME_RATE));
    assert_int_equal(stat(path, &info), 0);
    for (off_t len = info.st_size; len >= 0; len -= info.st_size / 7) {
        assert_int_equal(truncate(path, len), 0);
        assert_false(restore(player, 300 * FRAME_RATE));
    }
    player_end(player);
}

static void without_a_file_nothing_is_kept(void **state)
{
    struct player *player = player_begin(ID);
    keepsakes_finish(&player->keepsakes);
    keepsakes_init(&player->keepsakes, "/nowhere/at/all", ID);
    programme_start(player->programme, &player->program, 0);
    take(player);
    keepsakes_write(&player->keepsakes, &player->snapshots, &player->log);
    assert_false(restore(player, FRAME_RATE));
    player_end(player);
}

int main(void)
{
    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof path, "%s/snapshots", directory);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_programme_goes_on_from_the_latest, empty),
        cmocka_unit_test_setup(two_chains_are_kept_as_well, empty),
        cmocka_unit_test_setup(what_is_anothers_is_not_taken, empty),
        cmocka_unit_test_setup(what_knew_another_log_is_not_taken, empty),
        cmocka_unit_test_setup(what_is_of_before_a_waking_is_not_taken, empty),
        cmocka_unit_test_setup(what_knew_too_little_is_not_taken, empty),
        cmocka_unit_test_setup(what_is_not_whole_is_not_taken, empty),
        cmocka_unit_test_setup(without_a_file_nothing_is_kept, empty),
    };
    int failed = cmocka_run_group_tests_name("keepsakes", tests, NULL, NULL);
    unlink(path);
    rmdir(directory);
    return failed;
}
