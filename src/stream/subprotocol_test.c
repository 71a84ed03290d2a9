#include "stream/subprotocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void offers_are_told_apart(void **state)
{
    static const struct {
        const char *header;
        enum offer offer;
    } cases[] = {
        {NULL, OFFER_NONE},
        {"", OFFER_NONE},
        {" , ,", OFFER_NONE},
        {"auralis-v2", OFFER_IT},
        {"a,auralis-v2", OFFER_IT},
        {"a , auralis-v2 ,b", OFFER_IT},
        {"\tauralis-v2", OFFER_IT},
        {"auralis-v1", OFFER_OTHERS},
        {"auralis-v22", OFFER_OTHERS},
        {"auralis-v", OFFER_OTHERS},
        {"Auralis-v2", OFFER_OTHERS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(subprotocol_offer(cases[i].header, "auralis-v2"), cases[i].offer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(offers_are_told_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
