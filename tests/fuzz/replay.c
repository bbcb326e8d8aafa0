/* SPDX-License-Identifier: Apache-2.0
 * Runs a fuzz target on its corpus, without a fuzzer: what was found once is looked at in every
 * test run, with any compiler. The corpus is tests/fuzz/corpus/NAME for a program fuzz_NAME. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *f = fopen(path, "re");
    uint8_t *data = NULL;
    long size;

    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0) {
        perror(path);
        return -1;
    }
    rewind(f);
    data = malloc((size_t)size + 1); /* exactly so many, for the sanitizer's sake, but never none */
    if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size) {
        perror(path);
        return -1;
    }
    fclose(f);
    printf("%s\n", path);
    fflush(stdout);
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *name = slash == NULL ? argv[0] : slash + 1;
    char dir[512], path[1024];
    struct dirent *entry;
    unsigned n = 0;
    DIR *d;

    (void)argc;
    snprintf(dir, sizeof dir, "tests/fuzz/corpus/%s", name + strlen("fuzz_"));
    d = opendir(dir);
    if (d == NULL) {
        perror(dir);
        return 1;
    }
    while ((entry = readdir(d)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (replay(path) != 0)
            return 1;
        n++;
    }
    closedir(d);
    if (n == 0) {
        fprintf(stderr, "%s is empty\n", dir);
        return 1;
    }
    printf("[       OK ] corpus of %u files\n", n);
    return 0;
}
