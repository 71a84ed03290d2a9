#include "score/scene.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void scenes_are_found_and_differ(void **state)
{
    assert_string_equal(scenes[0].name, "drift");
    for (int i = 0; i < scene_count; i++) {
        struct mood mood = scene_mood(&scenes[i]);
        assert_ptr_equal(scene_find(scenes[i].name), &scenes[i]);
        assert_true(scenes[i].title[0] && scenes[i].line[0]);
        assert_true((mood.key.quality == KEY_MAJOR) == mode_is_major(mood.mode));
        for (int k = 0; k < i; k++) {
            struct mood other = scene_mood(&scenes[k]);
            assert_int_not_equal(mood_difference(&mood, &other), 0);
        }
    }
    assert_null(scene_find("Drift"));
}

static void drift_is_the_default(void **state)
{
    struct mood mood = scene_mood(&scenes[0]), plain = mood_default();
    assert_int_equal(mood_difference(&mood, &plain), 0);
}

static void bright_is_g_lydian(void **state)
{
    struct mood mood = scene_mood(scene_find("bright"));
    assert_int_equal(key_tonic(mood.key), 7);
    assert_int_equal(mood.mode, MODE_LYDIAN);
    assert_int_equal(mood.bpm, 70);
    assert_true(mood.intensity == .6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenes_are_found_and_differ),
        cmocka_unit_test(drift_is_the_default),
        cmocka_unit_test(bright_is_g_lydian),
    };
    return cmocka_run_group_tests_name("scene", tests, NULL, NULL);
}
