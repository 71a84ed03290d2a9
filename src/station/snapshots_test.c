#include "station/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

enum { CELLS = 7, CELL_BYTES = 64, MODEL = 4096 };

// Each cell says whose it is.
static void take(struct snapshots *snapshots, uint64_t frame, int cells)
{
    snapshots_add(snapshots, frame, cells);
    for (int i = 0; i < cells; i++)
        memset(snapshots_cell(snapshots, i), (int)(frame * 2 + (uint64_t)i) & 0xff, CELL_BYTES);
}

static void assert_latest(const struct snapshots *snapshots, uint64_t frame, int cells)
{
    uint64_t latest;
    assert_true(snapshots_latest(snapshots, &latest));
    assert_int_equal(latest, frame);
    assert_int_equal(snapshots_cells(snapshots), cells);
    for (int i = 0; i < cells; i++) {
        const unsigned char *cell = snapshots_cell(snapshots, i);
        for (int byte = 0; byte < CELL_BYTES; byte++)
            assert_int_equal(cell[byte], (frame * 2 + (uint64_t)i) & 0xff);
    }
}

static void nothing_is_there_at_first(void **state)
{
    struct snapshots snapshots;
    uint64_t frame;
    assert_int_equal(snapshots_init(&snapshots, CELLS, CELL_BYTES), STATUS_OK);
    assert_false(snapshots_latest(&snapshots, &frame));
    snapshots_forget_after(&snapshots, 0);
    snapshots_finish(&snapshots);
    memset(&snapshots, 0, sizeof snapshots);   // one that has none at all
    assert_false(snapshots_latest(&snapshots, &frame));
    snapshots_forget_after(&snapshots, 0);
    snapshots_finish(&snapshots);
}

static void the_oldest_make_room(void **state)
{
    struct snapshots snapshots;
    assert_int_equal(snapshots_init(&snapshots, CELLS, CELL_BYTES), STATUS_OK);
    for (uint64_t frame = 1; frame <= 20; frame++)
        take(&snapshots, frame, 2);
    for (uint64_t frame = 20; frame > 17; frame--) {
        assert_latest(&snapshots, frame, 2);
        snapshots_forget(&snapshots);
    }
    uint64_t frame;
    assert_false(snapshots_latest(&snapshots, &frame));
    snapshots_finish(&snapshots);
}

static void later_ones_are_forgotten(void **state)
{
    struct snapshots snapshots;
    assert_int_equal(snapshots_init(&snapshots, CELLS, CELL_BYTES), STATUS_OK);
    for (uint64_t frame = 10; frame <= 40; frame += 10)
        take(&snapshots, frame, 1);
    snapshots_forget_after(&snapshots, 30);
    assert_latest(&snapshots, 30, 1);
    snapshots_forget_after(&snapshots, 29);
    assert_latest(&snapshots, 20, 1);
    take(&snapshots, 25, 2);
    assert_latest(&snapshots, 25, 2);
    snapshots_forget(&snapshots);
    assert_latest(&snapshots, 20, 1);
    uint64_t frame;
    snapshots_forget_all(&snapshots);
    assert_false(snapshots_latest(&snapshots, &frame));
    take(&snapshots, 5, CELLS);
    assert_latest(&snapshots, 5, CELLS);
    snapshots_finish(&snapshots);
}

// Whatever is done in whatever order: the latest ones that have room are there, as a list without bounds has them.
static void it_is_the_end_of_a_list(void **state)
{
    struct snapshots snapshots;
    static struct snapshot model[MODEL];
    int count = 0;
    uint64_t frame = 1;
    assert_int_equal(snapshots_init(&snapshots, CELLS, CELL_BYTES), STATUS_OK);
    for (uint64_t turn = 0; turn < 20000 && count < MODEL; turn++) {
        uint64_t chance = random_u64(3, 1, turn);
        if (chance % 3 > 0) {
            frame = (count > 0 ? model[count - 1].frame : frame) + chance / 3 % 5;
            model[count] = (struct snapshot){frame, 1 + (int)(chance / 16 % 2)};
            take(&snapshots, frame, model[count++].cells);
        } else {
            uint64_t known = frame > chance / 3 % 12 ? frame - chance / 3 % 12 : 0, latest;
            snapshots_forget_after(&snapshots, known);
            while (count > 0 && model[count - 1].frame > known)
                count--;
            if (!snapshots_latest(&snapshots, &latest))
                count = 0;
        }
        if (count > 0)
            assert_latest(&snapshots, model[count - 1].frame, model[count - 1].cells);
        assert_true(snapshots.cell_count <= CELLS);
    }
    snapshots_finish(&snapshots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_there_at_first),
        cmocka_unit_test(the_oldest_make_room),
        cmocka_unit_test(later_ones_are_forgotten),
        cmocka_unit_test(it_is_the_end_of_a_list),
    };
    return cmocka_run_group_tests_name("snapshots", tests, NULL, NULL);
}
