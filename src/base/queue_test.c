#include "base/queue.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

struct message {
    uint32_t producer, number;
    unsigned char pattern[13];
};

static struct queue queue;

static void test_first_in_first_out_and_bounded(void **state)
{
    assert_int_equal(queue_init(&queue, sizeof(int), 4), STATUS_OK);
    int out;
    assert_false(queue_pop(&queue, &out));
    for (int round = 0, next = 0, expected = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++, next++)
            assert_true(queue_push(&queue, &next));
        assert_false(queue_push(&queue, &(int){-1}));
        for (int i = 0; i < 3 + round % 2; i++, expected++) {
            assert_true(queue_pop(&queue, &out));
            assert_int_equal(out, expected);
        }
        while (queue_pop(&queue, &out))
            assert_int_equal(out, expected++);
    }
    queue_finish(&queue);
}

static void test_odd_element_sizes(void **state)
{
    for (size_t bytes = 1; bytes <= 40; bytes++) {
        unsigned char in[40], out[41];
        assert_int_equal(queue_init(&queue, bytes, 2), STATUS_OK);
        for (size_t i = 0; i < 40; i++)
            in[i] = (unsigned char)(i + bytes);
        out[bytes] = 0xee;
        assert_true(queue_push(&queue, in) && queue_push(&queue, in));
        assert_true(queue_pop(&queue, out));
        assert_memory_equal(in, out, bytes);
        assert_int_equal(out[bytes], 0xee);
        queue_finish(&queue);
    }
}

enum { PRODUCERS = 3, MESSAGES = 30000 };

static void *produce(void *argument)
{
    uint32_t producer = (uint32_t)(uintptr_t)argument;
    for (uint32_t number = 0; number < MESSAGES; number++) {
        struct message message = {.producer = producer, .number = number};
        for (size_t i = 0; i < sizeof message.pattern; i++)
            message.pattern[i] = (unsigned char)(producer * 31 + number + i);
        while (!queue_push(&queue, &message))
            sched_yield();
    }
    return NULL;
}

static void test_many_producers_lose_and_mix_nothing(void **state)
{
    pthread_t threads[PRODUCERS];
    uint32_t next[PRODUCERS] = {0};
    assert_int_equal(queue_init(&queue, sizeof(struct message), 16), STATUS_OK);
    for (uintptr_t i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, produce, (void *)i), 0);
    for (int got = 0; got < PRODUCERS * MESSAGES;) {
        struct message message;
        if (!queue_pop(&queue, &message)) {
            sched_yield();
            continue;
        }
        got++;
        assert_true(message.producer < PRODUCERS);
        assert_int_equal(message.number, next[message.producer]++);
        for (size_t i = 0; i < sizeof message.pattern; i++)
            assert_int_equal(message.pattern[i], (unsigned char)(message.producer * 31 + message.number + i));
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    assert_false(queue_pop(&queue, &(struct message){0}));
    queue_finish(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_in_first_out_and_bounded),
        cmocka_unit_test(test_odd_element_sizes),
        cmocka_unit_test(test_many_producers_lose_and_mix_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
