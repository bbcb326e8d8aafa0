/* SPDX-License-Identifier: Apache-2.0
 * The matrix as one self-contained page: the hops of each scenario, green where trust holds, red at
 * the hop that refuses, with the exact error and the way out. No script, no outside resource. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/foreign.h"
#include "matrix/matrix.h"

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<title>nlbsim matrix</title>\n<style>\n"
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#667;--line:#d5d9e0;--box:#f5f7fa;"
    "--good:#1a7f37;--bad:#cf222e;--idle:#9aa3ad}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#0f1318;--fg:#e6e9ee;--dim:#99a3b0;--line:#"
    "2c343e;"
    "--box:#181e25;--good:#3fb950;--bad:#ff6b63;--idle:#5d6773}}\n"
    "*{box-sizing:border-box}body{margin:0;padding:1.5rem;max-width:72rem;margin-inline:auto;"
    "background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.4rem;margin:0 0 .3rem}h2{font-size:1.05rem;margin:2rem 0 "
    ".6rem;color:var(--dim)}\n"
    "code{font:13px/1.45 ui-monospace,monospace;overflow-wrap:anywhere}p{margin:.3rem 0}\n"
    ".sum{color:var(--dim)}.key{display:flex;gap:1.2rem;flex-wrap:wrap;color:var(--dim);"
    "margin:.6rem 0}.key b{display:inline-block;width:1.6rem;border-top:3px solid;"
    "vertical-align:middle;margin-right:.4rem}\n"
    "article{border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem;margin:.7rem 0}\n"
    "article.missed{border-color:var(--bad);border-width:2px}\n"
    "header{display:flex;gap:.7rem;align-items:baseline;flex-wrap:wrap}header b{font-size:1rem}\n"
    ".tag{margin-left:auto;font-size:.85rem;color:var(--good)}.missed .tag{color:var(--bad)}"
    ".listed .tag{color:var(--dim)}\n"
    ".hops{display:flex;align-items:stretch;margin:.7rem 0;font-size:.85rem}\n"
    ".box{flex:0 0 auto;max-width:14rem;background:var(--box);border:1px solid var(--line);"
    "border-radius:6px;padding:.35rem .6rem}.box span{display:block;color:var(--dim);"
    "overflow-wrap:anywhere}\n"
    ".hop{flex:1 1 3rem;min-width:3rem;display:flex;flex-direction:column;justify-content:center;"
    "text-align:center;color:var(--dim);padding:0 .3rem}\n"
    ".hop i{border-top:3px solid var(--idle);margin:.15rem 0}.good i{border-color:var(--good)}"
    ".bad i{border-color:var(--bad)}.none i{border-style:dashed}.bad{color:var(--bad)}\n"
    ".through{border-style:dashed}.src{color:var(--dim);font-size:.85rem}\n"
    "@media(max-width:40rem){.hops{flex-direction:column}.hop{min-height:2rem}.box{max-width:none}}"
    "\n"
    "</style></head><body>\n";

static bool is(const char *text, const char *word)
{
    return text != NULL && strcmp(text, word) == 0;
}

static void box(FILE *out, const char *title, const char *text, bool through)
{
    fprintf(out, "<div class=\"box%s\">%s<span>", through ? " through" : "", title);
    foreign_put_markup(out, text);
    fputs("</span></div>", out);
}

static void hop(FILE *out, const char *state, const char *text)
{
    fprintf(out, "<div class=\"hop %s\">", state);
    foreign_put_markup(out, text);
    fputs("<i></i></div>", out);
}

static void tls_hops(FILE *out, const struct scenario_result *r)
{
    bool network = is(r->hop, "network"), listener = !r->ok && is(r->hop, "listener");
    bool target = !r->ok && is(r->hop, "target"), plain = is(r->hops.target_protocol, "HTTP");

    hop(out, network || listener ? "bad" : "good",
        network    ? "not reached"
        : listener ? "refused"
                   : "validated");
    box(out, "TLS listener", r->hops.listener_presents, false);
    hop(out,
        target                ? "bad"
        : network || listener ? "none"
                              : "idle",
        target                ? "broke"
        : network || listener ? ""
        : plain               ? "plain"
                              : "nothing validated");
    box(out, plain ? "target (HTTP)" : "target (HTTPS)", r->hops.target_presents, false);
}

static void tcp_hops(FILE *out, const struct scenario_result *r)
{
    bool network = is(r->hop, "network"), bad = !r->ok && !network;
    const char *state = network ? "none" : bad ? "bad" : "good";

    hop(out, network ? "bad" : state, network ? "not reached" : bad ? "refused" : "one session");
    box(out, "TCP listener", "passes bytes through", true);
    hop(out, state, "");
    box(out, is(r->hops.target_protocol, "HTTP") ? "target (HTTP)" : "target (HTTPS)",
        r->hops.target_presents, false);
}

static void picture(FILE *out, const struct scenario_result *r)
{
    fputs("<div class=\"hops\">", out);
    box(out, "API Gateway",
        r->integration->client_certificate != NULL ? r->integration->client_certificate
                                                   : r->integration->uri,
        false);
    if (is(r->hops.listener_protocol, "TLS"))
        tls_hops(out, r);
    else
        tcp_hops(out, r);
    fputs("</div>\n", out);
}

static void line(FILE *out, const char *label, const char *text, bool code)
{
    if (text == NULL || text[0] == '\0')
        return;
    fprintf(out, "<p><b>%s</b> %s", label, code ? "<code>" : "");
    foreign_put_markup(out, text);
    fprintf(out, "%s</p>\n", code ? "</code>" : "");
}

static void article(FILE *out, const struct scenario_result *r)
{
    const struct integration_cfg *g = r->integration;
    const char *kind = !r->acted ? "listed" : r->passed ? "passed" : "missed";
    const char *evidence = report_evidence(g->evidence);
    char expected[1024];

    fprintf(out, "<article class=\"%s\" id=\"", kind);
    foreign_put_markup(out, g->obj.name);
    fputs("\"><header><b>", out);
    foreign_put_markup(out, g->obj.name);
    fputs("</b> ", out);
    foreign_put_markup(out, g->title == NULL ? "" : g->title);
    fprintf(out, "<span class=\"tag\">%s</span></header>\n",
            !r->acted   ? "only listed"
            : r->passed ? "✓ as expected"
                        : "✗ missed");
    if (!r->acted) {
        line(out, "Why:", g->not_acted, false);
    } else {
        picture(out, r);
        fprintf(out, "<p><b>%u</b> <code>", r->status);
        foreign_put_markup(out, r->ok              ? "the target's answer is passed on"
                                : r->error == NULL ? ""
                                                   : r->error);
        fputs("</code></p>\n", out);
        line(out, "Verdict:", r->verdict, false);
        if (!r->passed) {
            line(out, "Expected:", report_expected(g, expected, sizeof expected), true);
            line(out, "Missed:", r->missed, false);
        }
    }
    if (g->source != NULL) {
        fputs("<p class=\"src\">", out);
        if (evidence != NULL)
            fprintf(out, "%s: ", evidence);
        foreign_put_markup(out, g->source);
        fputs("</p>\n", out);
    }
    fputs("</article>\n", out);
}

int report_html(const struct matrix *m, FILE *out)
{
    fputs(head, out);
    fprintf(
        out,
        "<h1>nlbsim matrix</h1>\n<p class=\"sum\">%zu as expected, %zu missed, %zu only listed, in "
        "%.1f s</p>\n"
        "<div class=\"key\"><span><b style=\"color:var(--good)\"></b>trust holds</span>"
        "<span><b style=\"color:var(--bad)\"></b>refused or broken here</span>"
        "<span><b style=\"color:var(--idle)\"></b>nobody validates</span></div>\n",
        m->passed, m->failed, m->listed, m->ms / 1000.0);
    for (size_t i = 0; i < m->n_files; i++) {
        bool titled = false;

        for (size_t k = 0; k < m->n_results; k++) {
            if (m->results[k].file != &m->files[i])
                continue;
            if (!titled) {
                fputs("<h2>", out);
                foreign_put_markup(out, m->files[i].path);
                fputs("</h2>\n", out);
                titled = true;
            }
            article(out, &m->results[k]);
        }
    }
    fputs("</body></html>\n", out);
    return ferror(out) ? -1 : 0;
}
