#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Check that every #include goes down the list of layers (docs/ARCHITECTURE.md), and that mbedTLS
# and libevent are included only where the architecture allows it.
set -eu
cd "$(dirname "$0")/.."
python3 - <<'PY'
import re, sys, pathlib
ALLOW = {
    "core": [],
    "certs": ["core"],
    "observe": ["core"],
    "targets": ["certs", "observe", "core"],
    "flow": ["targets", "certs", "observe", "core"],
    "listeners": ["flow", "targets", "certs", "observe", "core"],
    "vpclink": ["certs", "core"],
    "nlb": ["listeners", "flow", "targets", "certs", "observe", "core"],
    "lab": ["nlb", "vpclink", "listeners", "certs", "observe", "core"],
    "cli": ["lab", "nlb", "vpclink", "listeners", "flow", "targets", "certs", "observe", "core"],
}
MBEDTLS = re.compile(r"^(core/tls_|certs/|listeners/front\.c$|cli/version\.c$)")
EVENT = re.compile(r"^(core/hop|core/http|core/tls_engine\.|flow/|targets/|listeners/listener\.|vpclink/client\.c$"
                   r"|lab/target|nlb/worker\.|nlb/admin\.c$|cli/version\.c$)")
bad = n = 0
for folder, below in ALLOW.items():
    for path in sorted(pathlib.Path(folder).glob("*.[ch]")) + sorted(pathlib.Path(folder).glob("*.def")):
        for no, line in enumerate(path.read_text().splitlines(), 1):
            m = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not m:
                continue
            n += 1
            inc, why = m.group(1), None
            top = inc.split("/")[0]
            if top in ALLOW and top != folder and top not in below:
                why = f"{folder}/ may not include {top}/"
            elif top in ("mbedtls", "psa") and not MBEDTLS.match(str(path)):
                why = "mbedTLS is included in core/tls_*, certs/ and listeners/front.c only"
            elif top in ("event2", "event.h") and not EVENT.match(str(path)):
                why = "libevent is not included here"
            if why:
                bad += 1
                print(f"{path}:{no}: {inc}: {why}", file=sys.stderr)
if n == 0:
    sys.exit("layers: no include was read")
if bad:
    sys.exit(f"layers: {bad} of {n} includes go the wrong way")
print(f"layers: {n} includes, all downwards")
PY
