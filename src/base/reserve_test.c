#include "base/reserve.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

#include "base/random.h"

enum { BYTES = 65536, PIECES = 200 };

static void pieces_never_overlap(void **state)
{
    struct reserve reserve;
    uint8_t *pieces[PIECES] = {0};
    size_t sizes[PIECES] = {0};
    assert_int_equal(reserve_init(&reserve, BYTES), STATUS_OK);
    for (uint64_t step = 0; step < 20000; step++) {
        uint32_t i = random_below(1, 2, step, PIECES);
        if (pieces[i]) {
            for (size_t at = 0; at < sizes[i]; at++)
                assert_int_equal(pieces[i][at], (uint8_t)i);
            reserve_give(&reserve, pieces[i]);
            pieces[i] = NULL;
        } else {
            sizes[i] = random_below(3, 4, step, 1500);
            pieces[i] = reserve_take(&reserve, sizes[i]);
            if (pieces[i])
                memset(pieces[i], (int)i, sizes[i]);
        }
    }
    for (int i = 0; i < PIECES; i++)
        if (pieces[i])
            reserve_give(&reserve, pieces[i]);
    void *all = reserve_take(&reserve, BYTES - 1);
    assert_non_null(all);
    assert_null(reserve_take(&reserve, 0));
    reserve_give(&reserve, all);
    assert_null(reserve_take(&reserve, BYTES));
    reserve_finish(&reserve);
}

static void it_knows_its_own(void **state)
{
    struct reserve reserve, nothing = {0};
    int other;
    assert_int_equal(reserve_init(&reserve, BYTES), STATUS_OK);
    void *piece = reserve_take(&reserve, 1);
    assert_true(reserve_owns(&reserve, piece));
    assert_false(reserve_owns(&reserve, &other));
    assert_false(reserve_owns(&nothing, piece));
    reserve_give(&reserve, piece);
    reserve_finish(&reserve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_never_overlap),
        cmocka_unit_test(it_knows_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
