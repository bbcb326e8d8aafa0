#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lay verdicts beside a real JDK's: compare.py CASES.jsonl JDK.jsonl OURS.jsonl [show]"""
import collections, json, sys


def read(path):
    return {d["id"]: d for d in map(json.loads, open(path, encoding="utf-8")) if d}


def main():
    jdk, ours = read(sys.argv[2]), read(sys.argv[3])
    kinds, texts, same, first = collections.Counter(), collections.Counter(), 0, {}
    for k, j in jdk.items():
        o = ours.get(k, {"ok": None, "error": "(no answer)"})
        texts[j["error"] and j["error"][:100]] += 1
        if j["ok"] == o["ok"] and j["error"] == o["error"]:
            same += 1
            continue
        what = (k.split("-")[0], (j["error"] or "ok")[:150], (o["error"] or "ok")[:150])
        kinds[what] += 1
        first.setdefault(what, (k, j.get("detail"), o.get("detail")))
    print(f"{same} of {len(jdk)} agree ({100.0 * same / max(1, len(jdk)):.3f} %), {len(texts)} distinct texts")
    for what, n in kinds.most_common(int(sys.argv[4]) if len(sys.argv) > 4 else 40):
        print(f"{n:5} {what[0]}\n      jdk:  {what[1]}\n      ours: {what[2]}\n      e.g.  {first[what]}")
    return 0 if same == len(jdk) else 1


sys.exit(main())
