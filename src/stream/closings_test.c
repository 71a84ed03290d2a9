#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/frames.h"
#include "stream/closings.h"

static void the_latest_are_remembered_for_a_while(void **state)
{
    static struct closings closings;
    const char *reason = NULL;
    uint64_t now = 1000 * NS_PER_SECOND;
    closings_init(&closings);
    assert_null(closings_find(&closings, 0, now, &reason));
    for (uint64_t session = 1; session <= CLOSINGS + 1; session++)
        closings_remember(&closings, session, now, "SLOW", session == 7 ? "seven" : "other");
    assert_null(closings_find(&closings, 1, now, &reason));
    assert_string_equal(closings_find(&closings, 7, now, &reason), "SLOW");
    assert_string_equal(reason, "seven");
    assert_non_null(closings_find(&closings, CLOSINGS + 1, now + 300 * NS_PER_SECOND, &reason));
    assert_null(closings_find(&closings, 7, now + 301 * NS_PER_SECOND, &reason));
    closings_remember(&closings, 7, now + 400 * NS_PER_SECOND, "POLICY", "again");
    assert_string_equal(closings_find(&closings, 7, now + 401 * NS_PER_SECOND, &reason), "POLICY");
    closings_finish(&closings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_latest_are_remembered_for_a_while)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
