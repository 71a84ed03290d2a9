#include "compose/form.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"

static const uint64_t minute = (uint64_t)60 * FRAME_RATE;

static void sections_tile_time(void **state)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        uint64_t frame = 0;
        for (uint32_t index = 0; index < 400; index++) {
            struct section section = section_at(seed, frame);
            assert_int_equal(section.from, frame);
            assert_int_equal(section.index, index);
            assert_in_range(section.to - section.from, 2 * minute, 10 * minute);
            assert_int_equal(section.to % CHUNK_FRAMES, 0);
            struct section middle = section_at(seed, (section.from + section.to) / 2);
            struct section last = section_at(seed, section.to - 1);
            assert_int_equal(middle.index, index);
            assert_int_equal(last.index, index);
            assert_int_equal(last.from, frame);
            frame = section.to;
        }
    }
}

static void super_sections_are_kept(void **state)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        for (uint64_t super = 0; super < 50; super++)
            assert_int_equal(section_at(seed, super * 20 * minute).from, super * 20 * minute);
}

static void neighbours_differ_in_palette(void **state)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        const struct palette *before = NULL;
        for (uint64_t frame = 0; frame < 1000 * minute;) {
            struct section section = section_at(seed, frame);
            assert_ptr_not_equal(section.palette, before);
            before = section.palette;
            frame = section.to;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_tile_time),
        cmocka_unit_test(super_sections_are_kept),
        cmocka_unit_test(neighbours_differ_in_palette),
    };
    return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
