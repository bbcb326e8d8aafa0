/* SPDX-License-Identifier: Apache-2.0
 * The scenario catalogue and the demo's scenarios, embedded in the binary. */
#include "matrix/catalogue.h"

/* The assembler puts the file's bytes into the read-only data; the compiler is run at the top of
 * the tree (see the Makefile, which also rebuilds this file when a scenario changes). */
#define SCENARIOS(id, path)                                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            "catalogue_" #id "_begin:\n"                                                           \
            ".incbin \"" path "\"\n"                                                               \
            "catalogue_" #id "_end:\n"                                                             \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char catalogue_##id##_begin[], catalogue_##id##_end[];
#define DEMO_PATH "scenarios/demo.ini"
#include "matrix/catalogue.def"
SCENARIOS(demo, DEMO_PATH)
#undef SCENARIOS

#define MAX_FILES 16
#define EMBEDDED(id, path)                                                                         \
    ((struct catalogue_file){ path, catalogue_##id##_begin,                                        \
                              (size_t)(catalogue_##id##_end - catalogue_##id##_begin) })

const struct catalogue_file *catalogue_files(size_t *n)
{
    static struct catalogue_file files[MAX_FILES];
    size_t at = 0;

#define SCENARIOS(id, path) files[at++] = EMBEDDED(id, path);
#include "matrix/catalogue.def"
#undef SCENARIOS
    *n = at;
    return files;
}

struct catalogue_file catalogue_demo(void)
{
    return EMBEDDED(demo, DEMO_PATH);
}
