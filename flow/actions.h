/* SPDX-License-Identifier: Apache-2.0
 * The actions of the transition table, one per arrow, and what drives a state when a socket of the
 * flow becomes ready. An action does its work and returns the next event, or ON_NOTHING to wait. */
#ifndef FLOW_ACTIONS_H
#define FLOW_ACTIONS_H

#include "flow/flow_impl.h"

/* flow/handshakes.c */
enum flow_event flow_begin_front(struct flow *f);
enum flow_event flow_resume_front(struct flow *f);
enum flow_event flow_begin_back(struct flow *f);
enum flow_event flow_drive_front(struct flow *f);
enum flow_event flow_drive_connecting(struct flow *f, struct flow_side *ready);
enum flow_event flow_drive_back(struct flow *f, struct flow_side *ready);
/* flow/finish.c */
enum flow_event flow_finish(struct flow *f);
void flow_report(struct flow *f); /* hand the record over, once */
void flow_count_bytes(struct flow *f);
/* flow/pick_target.c */
enum flow_event flow_pick_and_connect(struct flow *f);
/* The target is connected: a PROXY header goes out, or is held until the client's first payload.
 * 0, or -1. */
int flow_send_header(struct flow *f);
/* flow/target_lost.c */
enum flow_event flow_target_lost(struct flow *f);
/* flow/relay.c */
enum flow_event flow_begin_relay(struct flow *f);
enum flow_event flow_pass_eof(struct flow *f);
enum flow_event flow_drive_relay(struct flow *f, struct flow_side *ready);
/* flow/expire.c */
void flow_idle_begin(struct flow *f);
enum flow_event flow_idle_check(struct flow *f);
enum flow_event flow_expire(struct flow *f);
enum flow_event flow_keep_expired(struct flow *f);
enum flow_event flow_drive_expired(struct flow *f, struct flow_side *ready);
/* flow/failure_end.c: which end a failed hop makes */
enum flow_end flow_failure_end(const struct flow *f, const struct flow_side *side,
                               const struct hop_failure *failure);

#endif
