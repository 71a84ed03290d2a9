#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/address.h"

enum { LIMIT_S = 5 };

// A socket of this machine that listens, or that only keeps a port where nobody does. `address`: out.
static int open_port(int listening, struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)address, len), 0);
    if (listening)
        assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
    return fd;
}

static struct addrinfo entry(struct sockaddr_in *address, struct addrinfo *next)
{
    return (struct addrinfo){.ai_family = AF_INET, .ai_addr = (struct sockaddr *)address,
                             .ai_addrlen = sizeof *address, .ai_next = next};
}

static void an_address_that_refuses_is_passed_over(void **state)
{
    struct sockaddr_in refusing, good;
    int closed = open_port(0, &refusing), listening = open_port(1, &good);
    struct addrinfo second = entry(&good, NULL), first = entry(&refusing, &second);
    const struct addrinfo *taken = NULL;
    int fd = address_connect(&first, LIMIT_S, &taken);
    assert_true(fd >= 0);
    assert_ptr_equal(taken, &second);
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    assert_int_equal(getpeername(fd, (struct sockaddr *)&peer, &len), 0);
    assert_int_equal(peer.sin_port, good.sin_port);
    close(fd);
    close(listening);
    close(closed);
}

static void the_first_that_answers_is_taken(void **state)
{
    struct sockaddr_in one, other;
    int first_socket = open_port(1, &one), second_socket = open_port(1, &other);
    struct addrinfo second = entry(&other, NULL), first = entry(&one, &second);
    const struct addrinfo *taken = NULL;
    int fd = address_connect(&first, LIMIT_S, &taken);
    assert_true(fd >= 0);
    assert_ptr_equal(taken, &first);
    close(fd);
    close(first_socket);
    close(second_socket);
}

static void none_that_answers_leaves_the_choice_alone(void **state)
{
    struct sockaddr_in refusing;
    int closed = open_port(0, &refusing);
    struct addrinfo second = entry(&refusing, NULL), first = entry(&refusing, &second);
    const struct addrinfo *taken = &first;
    assert_int_equal(address_connect(&first, LIMIT_S, &taken), -1);
    assert_ptr_equal(taken, &first);
    close(closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_that_refuses_is_passed_over),
        cmocka_unit_test(the_first_that_answers_is_taken),
        cmocka_unit_test(none_that_answers_leaves_the_choice_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
