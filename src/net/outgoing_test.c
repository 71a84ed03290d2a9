// What is sent in which order, however little the socket takes at a time.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

#include "net/outgoing.h"

static struct outgoing outgoing;
static int released, went_out;
static char sent[100000];
static size_t sent_len;

static int setup(void **state)
{
    outgoing = (struct outgoing){0};
    released = went_out = 0;
    sent_len = 0;
    return 0;
}

static int teardown(void **state)
{
    outgoing_finish(&outgoing);
    return 0;
}

static void release(void *pin, bool out)
{
    *(int *)pin += 1;
    went_out += out;
}

static bool text(const char *bytes)
{
    struct iovec slice = {(void *)(uintptr_t)bytes, strlen(bytes)};
    return outgoing_raw(&outgoing, &slice, 1);
}

static void share(const char *one, const char *two, int own)
{
    struct iovec slices[2] = {{(void *)(uintptr_t)one, strlen(one)}, {(void *)(uintptr_t)two, strlen(two)}};
    outgoing_share(&outgoing, slices, 2, own, release, &released);
}

// The socket takes `len` bytes more.
static void take(size_t len)
{
    struct iovec spans[OUTGOING_MAX_SPANS];
    int count = outgoing_gather(&outgoing, spans);
    size_t left = len;
    for (int i = 0; i < count && left > 0; i++) {
        size_t part = spans[i].iov_len < left ? spans[i].iov_len : left;
        memcpy(sent + sent_len, spans[i].iov_base, part);
        sent_len += part;
        left -= part;
    }
    outgoing_sent(&outgoing, len - left);
}

static void expect(const char *bytes)
{
    assert_int_equal(strlen(bytes), sent_len);
    assert_memory_equal(bytes, sent, sent_len);
    sent_len = 0;
}

static void test_texts_go_before_what_has_not_begun(void **state)
{
    share("AAAA", "BBBB", 0);
    text("one");
    take(5);
    text("two");
    assert_int_equal(0, released);
    take(100);
    assert_int_equal(1, released);
    assert_true(outgoing_empty(&outgoing));
    expect("oneAAAABBBBtwo");
}

static void test_byte_by_byte(void **state)
{
    share("AAAA", "BBBB", 0);
    text("one");
    outgoing_close(&outgoing, 1005, NULL);
    for (int i = 0; i < 4; i++)
        take(1);
    text("two");
    for (int i = 0; i < 6; i++)
        take(1);
    assert_int_equal(0, released);
    take(1);
    assert_int_equal(1, released);
    for (int i = 0; i < 6; i++)
        take(1);
    assert_int_equal(1, released);
    assert_true(outgoing_empty(&outgoing));
    assert_int_equal(16, sent_len);
    assert_memory_equal("oneAAAABBBBtwo\x88\0", sent, 16);
}

static void test_own_slices_are_copied(void **state)
{
    char head[] = "head";
    share(head, "BODY", 1);
    take(1);
    assert_true(outgoing_keep_own(&outgoing));
    memset(head, 'x', 4);
    take(5);
    take(5);
    expect("headBODY");
    assert_int_equal(1, released);
}

static void test_own_slices_that_are_out(void **state)
{
    char head[] = "head";
    share(head, "BODY", 1);
    take(5);
    assert_true(outgoing_keep_own(&outgoing));
    take(5);
    expect("headBODY");
}

static void test_finish_releases_once(void **state)
{
    share("AAAA", "BBBB", 1);
    take(2);
    assert_true(outgoing_keep_own(&outgoing));
    outgoing_finish(&outgoing);
    outgoing_finish(&outgoing);
    assert_int_equal(1, released);
    assert_int_equal(0, went_out);
}

static void test_all_is_copied(void **state)
{
    char head[] = "head", body[] = "BODY";
    share(head, body, 1);
    assert_int_equal(8, outgoing_bytes(&outgoing));
    take(1);
    assert_true(outgoing_keep_own(&outgoing));
    take(1);
    assert_true(outgoing_keep_all(&outgoing));
    memset(head, 'x', 4);
    memset(body, 'x', 4);
    assert_int_equal(6, outgoing_bytes(&outgoing));
    assert_int_equal(0, released);
    take(100);
    expect("headBODY");
    assert_int_equal(1, released);
    assert_int_equal(1, went_out);
    assert_int_equal(0, outgoing_bytes(&outgoing));
}

static void test_unshare_does_not_release(void **state)
{
    share("AAAA", "BBBB", 0);
    outgoing_unshare(&outgoing);
    assert_int_equal(0, released);
    assert_true(outgoing_empty(&outgoing));
}

static void test_drop_unbegun(void **state)
{
    share("AAAA", "BBBB", 0);
    outgoing_drop_unbegun(&outgoing);
    assert_int_equal(1, released);
    assert_int_equal(0, went_out);
    share("AAAA", "BBBB", 0);
    take(1);
    outgoing_drop_unbegun(&outgoing);
    assert_int_equal(1, released);
    take(9);
    assert_int_equal(2, released);
}

static void test_close_frame(void **state)
{
    char reason[200];
    memset(reason, 'r', sizeof reason);
    reason[199] = '\0';
    outgoing_close(&outgoing, 1009, reason);
    take(1000);
    assert_int_equal(127, sent_len);
    assert_memory_equal("\x88\x7d\x03\xf1rrr", sent, 7);
    assert_true(outgoing_empty(&outgoing));
}

static void test_ring_is_bounded_and_wraps(void **state)
{
    char bytes[1001];
    memset(bytes, 't', 1000);
    bytes[1000] = '\0';
    assert_null(outgoing.texts.bytes);
    for (int i = 0; i < 16; i++)
        assert_true(text(bytes));
    assert_false(text(bytes));
    assert_int_equal(384, ring_room(&outgoing.texts));
    take(15000);
    sent_len = 0;
    for (int i = 0; i < 10; i++) {
        memset(bytes, 'a' + i, 1000);
        assert_true(text(bytes));
    }
    take(1000);
    sent_len = 0;
    take(100000);
    assert_int_equal(10000, sent_len);
    for (int i = 0; i < 10000; i++)
        assert_int_equal('a' + i / 1000, sent[i]);
    assert_null(outgoing.texts.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_texts_go_before_what_has_not_begun, setup, teardown),
        cmocka_unit_test_setup_teardown(test_byte_by_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_slices_are_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_slices_that_are_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_finish_releases_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_is_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unshare_does_not_release, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drop_unbegun, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ring_is_bounded_and_wraps, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
