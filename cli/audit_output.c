/* SPDX-License-Identifier: Apache-2.0
 * The findings of `nlbsim cert audit` as text, JSON or SARIF. */
#include "cli/audit_output.h"
#include "core/foreign.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void audit_print_text(const struct audit_report *report, size_t looked_at, FILE *out)
{
    size_t count[3] = { 0 };

    for (size_t i = 0; i < report->n; i++) {
        const struct audit_finding *f = &report->at[i];

        count[f->severity]++;
        foreign_put(out, f->file);
        if (f->line > 0)
            fprintf(out, ":%d", f->line);
        fprintf(out, ": %s: %s: ", audit_severity_name(f->severity), audit_rules[f->code].code);
        foreign_put(out, f->where);
        fputs(f->where != NULL ? ": " : "", out);
        foreign_put(out, f->subject);
        fputs(f->subject != NULL ? ": " : "", out);
        foreign_put(out, f->message);
        fprintf(out, "\n    %s\n    %s\n", f->effect, f->remedy);
    }
    fprintf(out, "%zu chain%s looked at: %zu error%s, %zu warning%s, %zu note%s\n", looked_at,
            looked_at == 1 ? "" : "s", count[AUDIT_ERROR], count[AUDIT_ERROR] == 1 ? "" : "s",
            count[AUDIT_WARNING], count[AUDIT_WARNING] == 1 ? "" : "s", count[AUDIT_NOTE],
            count[AUDIT_NOTE] == 1 ? "" : "s");
}

static json_t *finding_json(const struct audit_finding *f)
{
    json_t *json =
        json_pack("{s:o, s:s, s:s, s:o, s:s, s:s, s:o, s:o}", "file", foreign_json(f->file), "code",
                  audit_rules[f->code].code, "severity", audit_severity_name(f->severity),
                  "message", foreign_json(f->message), "effect", f->effect, "remedy", f->remedy,
                  "subject", foreign_json(f->subject), "where", foreign_json(f->where));

    if (f->line > 0)
        json_object_set_new(json, "line", json_integer(f->line));
    return json;
}

int audit_print_json(const struct audit_report *report, size_t looked_at, FILE *out)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->n; i++)
        json_array_append_new(list, finding_json(&report->at[i]));
    return foreign_print_document(
        json_pack("{s:I, s:o}", "chains", (json_int_t)looked_at, "findings", list), out);
}

static json_t *rules_json(void)
{
    json_t *rules = json_array();

    for (size_t i = 0; i < AUDIT_N; i++)
        json_array_append_new(
            rules, json_pack("{s:s, s:{s:s}, s:{s:s}, s:{s:s}}", "id", audit_rules[i].code,
                             "shortDescription", "text", audit_rules[i].effect, "help", "text",
                             audit_rules[i].remedy, "defaultConfiguration", "level",
                             audit_severity_name(audit_rules[i].severity)));
    return rules;
}

static json_t *result_json(const struct audit_finding *f)
{
    char *text = NULL;
    json_t *message;

    if (asprintf(&text, "%s%s%s. %s %s", f->subject != NULL ? f->subject : "",
                 f->subject != NULL ? ": " : "", f->message, f->effect, f->remedy) < 0)
        text = NULL;
    message = text != NULL ? foreign_json(text) : json_string(f->effect);
    free(text);
    return json_pack("{s:s, s:i, s:s, s:{s:o}, s:[{s:{s:{s:o}, s:{s:i}}}]}", "ruleId",
                     audit_rules[f->code].code, "ruleIndex", (int)f->code, "level",
                     audit_severity_name(f->severity), "message", "text", message, "locations",
                     "physicalLocation", "artifactLocation", "uri", foreign_json(f->file), "region",
                     "startLine", f->line > 0 ? f->line : 1);
}

int audit_print_sarif(const struct audit_report *report, FILE *out)
{
    json_t *results = json_array();

    for (size_t i = 0; i < report->n; i++)
        json_array_append_new(results, result_json(&report->at[i]));
    return foreign_print_document(
        json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:o}]}", "$schema",
                  "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs",
                  "tool", "driver", "name", "nlbsim", "version", NLB_VERSION, "rules", rules_json(),
                  "results", results),
        out);
}
