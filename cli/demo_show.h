/* SPDX-License-Identifier: Apache-2.0
 * One step of the demo on the screen: the hops, the decisive log line, status and verdict. */
#ifndef CLI_DEMO_SHOW_H
#define CLI_DEMO_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "matrix/scenario.h"

/* `number` from 1; `r` has been acted out. */
void demo_show(FILE *out, const struct scenario_result *r, size_t number, bool colour);

#endif
