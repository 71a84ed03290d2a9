#include "os/slab.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

enum { COUNT = 100, BYTES = 70 };

static void all_can_be_taken_and_given_back(void **state)
{
    struct slab slab;
    uint8_t *items[COUNT];
    assert_int_equal(slab_init(&slab, COUNT, BYTES), STATUS_OK);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            assert_non_null(items[i] = slab_take(&slab));
            assert_int_equal((uintptr_t)items[i] % 64, 0);
            memset(items[i], i, BYTES);
        }
        assert_null(slab_take(&slab));
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(items[i][0], i);
            assert_int_equal(items[i][BYTES - 1], i);
            slab_give(&slab, items[i]);
        }
    }
    slab_finish(&slab);
}

// It may be folded into huge pages as it fills up: what is in its items stays.
static void a_large_one_keeps_what_is_in_it(void **state)
{
    enum { MANY = 10000, LARGE = 1000 };
    struct slab slab;
    static uint32_t *items[MANY];
    assert_int_equal(slab_init(&slab, MANY, LARGE), STATUS_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_non_null(items[i] = slab_take(&slab));
        items[i][0] = items[i][LARGE / 4 - 1] = i;
    }
    assert_null(slab_take(&slab));
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(items[i][0], i);
        assert_int_equal(items[i][LARGE / 4 - 1], i);
    }
    slab_finish(&slab);
}

// One that comes and goes touches no further memory.
static void what_was_given_back_is_taken_first(void **state)
{
    struct slab slab;
    assert_int_equal(slab_init(&slab, COUNT, 1), STATUS_OK);
    void *first = slab_take(&slab);
    for (int i = 0; i < 10; i++) {
        slab_give(&slab, first);
        assert_ptr_equal(slab_take(&slab), first);
    }
    slab_finish(&slab);
}

static void one_of_nothing_is_empty(void **state)
{
    struct slab slab;
    assert_int_equal(slab_init(&slab, 0, 8), STATUS_OK);
    assert_null(slab_take(&slab));
    slab_finish(&slab);
}

static void too_much_is_refused(void **state)
{
    struct slab slab;
    assert_int_equal(slab_init(&slab, UINT32_MAX, (size_t)1 << 30), STATUS_MEMORY);
    slab_finish(&slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_can_be_taken_and_given_back),
        cmocka_unit_test(a_large_one_keeps_what_is_in_it),
        cmocka_unit_test(what_was_given_back_is_taken_first),
        cmocka_unit_test(one_of_nothing_is_empty),
        cmocka_unit_test(too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
