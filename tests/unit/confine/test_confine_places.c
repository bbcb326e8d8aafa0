/* SPDX-License-Identifier: Apache-2.0
 * Which directories a name stands for: the one it is in, and where links lead today and tomorrow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine/confine_places.h"

static char home[PATH_MAX];

static int set_up(void **state)
{
    char template[] = "/tmp/nlbsim-places-XXXXXX";

    (void)state;
    return mkdtemp(template) == NULL || realpath(template, home) == NULL || chdir(home) != 0;
}

static int tear_down(void **state)
{
    char command[PATH_MAX + 16];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", home);
    return chdir("/") != 0 || system(command) != 0;
}

static void file(const char *name)
{
    FILE *f = fopen(name, "w");

    assert_non_null(f);
    fclose(f);
}

static struct confine_places *places_of(const char *path, bool write)
{
    struct confine_places *p = confine_places_new();

    assert_non_null(p);
    assert_int_equal(confine_place(p, path, write), 0);
    return p;
}

/* What stands there: each place relative to `home`, blank-separated, with a '+' when written. */
static void are(struct confine_places *p, const char *expected)
{
    char text[PATH_MAX] = "";
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++) {
        const char *at = p->at[i].path;

        if (strncmp(at, home, strlen(home)) == 0)
            at += strlen(home);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%s", i > 0 ? " " : "",
                              *at == '\0' ? "." : at, p->at[i].write ? "+" : "");
    }
    assert_string_equal(text, expected);
    confine_places_free(p);
}

static void a_file_stands_for_its_folder(void **state)
{
    (void)state;
    mkdir("certs", 0700);
    file("certs/api.pem");
    are(places_of("certs/api.pem", false), "/certs");
    are(places_of("./certs/../certs//api.pem", false), "/certs");
    are(places_of("certs", false), "/certs .");
    are(places_of("certs/none.pem", false), "/certs");
    are(places_of("api.pem", false), ".");
    are(places_of("nowhere/api.pem", false), "");
}

static void what_is_to_be_written_may_have_to_be_made(void **state)
{
    (void)state;
    mkdir("certs", 0700);
    are(places_of("certs/logs/deeper/", true), "/certs+");
    are(places_of("events.jsonl", true), ".+");
}

static void a_device_stands_for_itself(void **state)
{
    (void)state;
    are(places_of("/dev/null", true), "/dev/null+");
    are(places_of("/dev/fd/1000", true), "");
}

/* A volume of Kubernetes: api.pem -> ..data/api.pem, ..data -> ..2026_1, which will be ..2026_2. */
static void a_swapped_link_leads_beside(void **state)
{
    struct confine_places *p;

    (void)state;
    mkdir("volume", 0700);
    mkdir("volume/..2026_1", 0700);
    mkdir("volume/..2026_2", 0700);
    file("volume/..2026_1/api.pem");
    assert_int_equal(symlink("..2026_1", "volume/..data"), 0);
    assert_int_equal(symlink("..data/api.pem", "volume/api.pem"), 0);
    p = places_of("volume/api.pem", false);
    assert_true(confine_holds(p, "volume/..2026_2/api.pem", false));
    assert_false(confine_holds(p, "volume/..2026_2/api.pem", true));
    assert_false(confine_holds(p, "volumes", false));
    confine_places_free(p);
    p = places_of("volume/..data/api.pem", false);
    assert_true(confine_holds(p, "volume/..2026_2/api.pem", false));
    confine_places_free(p);
}

/* A deployment: current -> releases/41, later releases/42. */
static void a_release_is_followed_by_the_next(void **state)
{
    struct confine_places *p;

    (void)state;
    mkdir("releases", 0700);
    mkdir("releases/41", 0700);
    mkdir("releases/42", 0700);
    file("releases/41/api.pem");
    assert_int_equal(symlink("releases/41", "current"), 0);
    p = places_of("current/api.pem", false);
    assert_true(confine_holds(p, "releases/42/api.pem", false));
    confine_places_free(p);
}

/* A link that leads away opens the folder of its file, and no more: live/api.pem -> ../archive/1.
 */
static void a_link_that_leads_away(void **state)
{
    struct confine_places *p;
    char target[PATH_MAX + 16];

    (void)state;
    mkdir("live", 0700);
    mkdir("archive", 0700);
    mkdir("archive/api", 0700);
    mkdir("archive/other", 0700);
    file("archive/api/api1.pem");
    assert_int_equal(symlink("../archive/api/api1.pem", "live/api.pem"), 0);
    snprintf(target, sizeof target, "%s/archive/api", home);
    assert_int_equal(symlink(target, "live/whole"), 0);
    p = places_of("live/api.pem", false);
    assert_true(confine_holds(p, "archive/api/api2.pem", false));
    assert_false(confine_holds(p, "archive/other/api2.pem", false));
    assert_false(confine_holds(p, "archive", false));
    confine_places_free(p);
    are(places_of("live/whole/api1.pem", false), "/archive/api");
}

static void links_in_a_circle(void **state)
{
    (void)state;
    mkdir("ring", 0700);
    assert_int_equal(symlink("b", "ring/a"), 0);
    assert_int_equal(symlink("a", "ring/b"), 0);
    are(places_of("ring/a", false), "/ring");
    are(places_of("ring/a/x.pem", false), "");
}

static void a_place_twice(void **state)
{
    struct confine_places *p = places_of("a", false);

    (void)state;
    assert_int_equal(confine_place(p, "b", true), 0);
    are(p, ".+");
}

static void names_that_are_too_long(void **state)
{
    static char name[2 * PATH_MAX];

    (void)state;
    memset(name, 'a', sizeof name - 1);
    are(places_of(name, true), "");
    name[0] = '/';
    are(places_of(name, true), "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_stands_for_its_folder),
        TEST(what_is_to_be_written_may_have_to_be_made),
        TEST(a_device_stands_for_itself),
        TEST(a_swapped_link_leads_beside),
        TEST(a_release_is_followed_by_the_next),
        TEST(a_link_that_leads_away),
        TEST(links_in_a_circle),
        TEST(a_place_twice),
        TEST(names_that_are_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
