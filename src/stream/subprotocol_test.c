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
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = {.header_count = cases[i].header ? 1 : 0};
        request.headers[0].name = "sec-websocket-protocol";
        request.headers[0].value = cases[i].header;
        assert_int_equal(subprotocol_offer(&request, "auralis-v2"), cases[i].offer);
    }
}

static void offer_may_go_over_several_headers(void **state)
{
    struct http_request request = {
        .headers = {{"sec-websocket-protocol", "a, b"}, {"origin", "c"}, {"sec-websocket-protocol", "auralis-v2"}},
        .header_count = 3,
    };
    assert_int_equal(subprotocol_offer(&request, "auralis-v2"), OFFER_IT);
    assert_int_equal(subprotocol_offer(&request, "b"), OFFER_IT);
    assert_int_equal(subprotocol_offer(&request, "c"), OFFER_OTHERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(offers_are_told_apart),
                                       cmocka_unit_test(offer_may_go_over_several_headers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
