/* SPDX-License-Identifier: Apache-2.0
 * vpclink/lookup.c: addresses at once, names from a thread, and lookups that nobody waits for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>

#include "vpclink/lookup.h"

static int answer_of(struct lookup *l, const struct addrinfo **list)
{
    struct pollfd p = { .fd = lookup_fd(l), .events = POLLIN };

    assert_int_equal(poll(&p, 1, -1), 1);
    return lookup_result(l, list);
}

static void an_address_is_there_at_once(void **state)
{
    struct lookup *l = lookup_start("127.0.0.1", 443);
    const struct addrinfo *list = NULL;

    (void)state;
    assert_int_equal(lookup_result(l, &list), 0);
    assert_int_equal(list->ai_family, AF_INET);
    assert_int_equal(((const struct sockaddr_in *)(const void *)list->ai_addr)->sin_port,
                     htons(443));
    assert_int_equal(lookup_result(l, &list), EAI_INPROGRESS); /* once */
    lookup_free(l);
    lookup_free(NULL);
}

static void a_name_comes_from_a_thread(void **state)
{
    const struct addrinfo *list = NULL;
    struct lookup *l = lookup_start("localhost", 80);

    (void)state;
    if (answer_of(l, &list) != 0) {
        lookup_free(l);
        print_message("this machine does not know localhost (/etc/hosts)\n");
        skip();
    }
    assert_non_null(list);
    lookup_free(l);
}

static void nobody_waits(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        lookup_free(lookup_start("localhost", 80));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_there_at_once),
        cmocka_unit_test(a_name_comes_from_a_thread),
        cmocka_unit_test(nobody_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
