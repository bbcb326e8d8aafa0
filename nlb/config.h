/* SPDX-License-Identifier: Apache-2.0
 * One INI file as one constant struct: read, cross-checked, shared by reference count.
 *
 * A generation of the configuration is built by nlb_config_load(), completed by
 * nlb_config_bind_lab(), and from then on constant: workers and flows hold it by reference, and a
 * flow keeps the generation it began with over a reload. Strings, arrays and loaded certificates
 * belong to the generation and go with its last reference. */
#ifndef NLB_CONFIG_H
#define NLB_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "confine/confine.h"
#include "core/addr.h"
#include "core/arena.h"
#include "core/cfg_key.h"
#include "core/problems.h"
#include "flow/crowd.h"
#include "listeners/listener_cfg.h"
#include "observe/ids.h"
#include "targets/target_group_cfg.h"
#include "tls/tls_can.h"

struct cert_lab;

enum relay_mode { RELAY_AUTO, RELAY_COPY, RELAY_SPLICE };
/* When the target is connected: after the front handshake, or as soon as the ClientHello was read.
 * NLB's order is unknown. */
enum target_connect { TARGET_CONNECT_AFTER_HANDSHAKE, TARGET_CONNECT_AFTER_HELLO };
/* Whose policies decide the back hop's: the flow's listener alone, or any listener of the file. */
enum backend_policy_scope { BACKEND_SCOPE_LISTENER, BACKEND_SCOPE_LOAD_BALANCER };

/* The keys of [nlb] that belong to the process: read at the start, in effect until it ends. A
 * generation holds what its file says; what is in effect is nlb_process(), never a generation's. */
struct process_cfg {
    uint64_t workers;       /* at least 1; default: the number of cores */
    const char *events;     /* NULL: none; "-": standard output; else see nlb_config_path() */
    int events_detail;      /* full is all there is */
    const char *access_log; /* as `events` */
    struct addr metrics;    /* len 0: none */
    bool metrics_public;    /* `metrics` may be another address than this machine's own */
    double time_scale;      /* 1.0: real time */
    uint64_t max_metrics_connections, max_metrics_bytes, max_recent_bytes;
    uint64_t stall_exit_ms; /* a stall of so long ends the process; 0: none does */
    enum confine_how confine;
    const char *user, *group;    /* whom the process becomes; NULL: nobody else */
    enum tls_use tls_use;        /* which TLS libraries its hops may have */
    uint64_t output_queue_bytes; /* of `events`, and of `access_log`, that may wait to be written */
    /* Who the load balancer is, in logs, ARNs and dimensions. */
    const char *name;             /* default "nlbsim" */
    const char *region;           /* default "us-east-1" */
    const char *account_id;       /* 12 digits; default "123456789012" */
    const char *load_balancer_id; /* 16 hexadecimal digits; default "0123456789abcdef" */
};

/* [nlb]; with defaults when the file has no such section (then obj.line is 0). */
struct nlb_cfg {
    struct cfg_object obj;
    struct process_cfg process;
    enum relay_mode relay;
    const char *lab_seed; /* NULL: fresh */
    enum target_connect target_connect;
    enum backend_policy_scope backend_policy_scope;
    uint64_t connect_timeout_ms;   /* toward targets; NLB's is unknown */
    uint64_t handshake_timeout_ms; /* of either TLS handshake; NLB's is unknown */
    /* How long the data plane goes on as before after a target is deregistered, or turns unhealthy.
     */
    uint64_t deregistration_propagation_ms, health_propagation_ms;
    bool connectivity_tests;     /* of the targets of TLS listeners: connections without data */
    const char *vpc_endpoint_id; /* NULL: none */
    bool cross_zone;             /* of the load balancer, where a target group does not say */
    struct flow_limits limits;
    uint64_t max_event_bytes;
    bool enforce_quotas;
    const char **metrics_hosts; /* further names under which `metrics` is asked */
    size_t n_metrics_hosts;
};

/* The objects of one kind of section, in file order. */
struct config_list {
    const struct section_kind *kind;
    void *items; /* array of kind->size bytes each */
    size_t n;
};

struct nlb_config {
    const char *path; /* as given on the command line */
    const char *dir;  /* its directory; relative paths in the file count from here */
    struct nlb_cfg nlb;
    struct listener_cfg *listeners;
    size_t n_listeners;
    struct target_group_cfg *groups;
    size_t n_groups;
    struct config_list *lists; /* every kind: nlb, listener, target_group, then those handed down */
    size_t n_lists;
    struct cert_lab *lab; /* where "lab:…" certificates come from; NULL when not loading */
    struct arena arena;
    atomic_uint refs, kept;
};

/*
 * A kind of section. `[listener NAME]` is named, `[nlb]` is not and appears at most once.
 * nlb/config.c knows nlb, listener and target_group; further kinds come from the caller.
 */
struct section_kind {
    const char *name;
    bool named;
    bool stands_alone; /* `run` has something to do with a file of nothing but such sections */
    size_t size;       /* of the struct, which begins with a struct cfg_object */
    const struct cfg_key *keys; /* see core/cfg_key.h */
    /* Checks of one object after all sections are read. `load` as in nlb_config_load(). NULL: none.
     * Problems go to `problems`; a check never stops the others. */
    void (*check_cb)(struct nlb_config *config, void *object, bool load, struct problems *problems);
    /* Give back what check_cb loaded beyond the arena. NULL: nothing. */
    void (*clear_cb)(void *object);
};

/*
 * Read and check a file.
 *   path      the INI file; "-" is standard input (then relative paths count from the working
 *             directory)
 *   kinds     n_kinds further kinds of sections (testbed/sections.h); borrowed as long as the
 *             configuration lives
 *   load      also load certificates and stores (a listener cannot start without)
 *   problems  gets every problem of the file, sorted by line; see core/problems.h
 *   returns   a generation with one reference, or NULL when there is a problem.
 */
struct nlb_config *nlb_config_load(const char *path, const struct section_kind *const *kinds,
                                   size_t n_kinds, bool load, struct problems *problems);
/* The same for text in memory; `dir` is what relative paths count from, `path` what messages say.*/
struct nlb_config *nlb_config_parse(const char *text, size_t n, const char *path, const char *dir,
                                    const struct section_kind *const *kinds, size_t n_kinds,
                                    bool load, struct problems *problems);

/* Read a whole file, at most 1 MiB ("-": standard input). 0; -1 with a problem noted. Free *text.
 */
int config_read_file(const char *path, char **text, size_t *n, struct problems *problems);

struct nlb_config *nlb_config_ref(const struct nlb_config *config); /* returns `config` */
void nlb_config_unref(const struct nlb_config *config);             /* NULL is fine */
/* Keep what the file said, but none of what was loaded: private keys go with the last reference. */
const struct nlb_config *nlb_config_keep(const struct nlb_config *config); /* returns `config` */
void nlb_config_forget(const struct nlb_config *config);                   /* NULL is fine */

/* Before the configuration is shared: every target "lab:NAME" is at `addr`. Returns how many. */
size_t nlb_config_bind_lab(struct nlb_config *config, const char *name, const struct addr *addr);

/* What ids, ARNs and dimensions are made from; borrowed from `process`. */
struct aws_identity nlb_identity(const struct process_cfg *process);

/* Objects by name; NULL when there is none. */
const struct listener_cfg *nlb_config_listener(const struct nlb_config *config, const char *name);
const struct target_group_cfg *nlb_config_group(const struct nlb_config *config, const char *name);
/* The list of a kind, by its name ("lab_target"); NULL when there is no such kind. */
const struct config_list *nlb_config_list(const struct nlb_config *config, const char *kind);

/* Tell of every file that the configuration names, itself too, and of some names that turn out to
 * be none. `write`: it is written, or it is a directory in which files are made. 0, or what
 * `file_cb` returned first that is not 0. */
int nlb_config_files(const struct nlb_config *config,
                     int (*file_cb)(void *arg, const char *path, bool write), void *arg);

/* `file` (from the INI file) relative to the INI file's directory, into `out`. "-" and absolute
 * paths stay. Returns 0, or -1 when it does not fit. */
int nlb_config_path(const struct nlb_config *config, const char *file, char *out, size_t size);

#endif
