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
    "tls": ["core"],
    "certs/x509": ["tls", "core"],
    "certs/store": ["certs/lab", "certs/x509", "tls", "core"],
    "certs/lab": ["certs/x509", "tls", "core"],
    "certs/judge": ["certs/store", "certs/x509", "tls", "core"],
    "certs/audit": ["certs/judge", "certs/lab", "certs/store", "certs/x509", "tls", "core"],
    "observe": ["certs", "tls", "core"],
    "explain": ["observe", "certs", "tls", "core"],
    "targets": ["certs", "observe", "tls", "core"],
    "flow": ["targets", "certs", "observe", "tls", "core"],
    "listeners": ["flow", "targets", "certs", "observe", "tls", "core"],
    "vpclink": ["certs", "tls", "core"],
    "nlb": ["listeners", "flow", "targets", "certs", "observe", "tls", "core"],
    "labtarget": ["nlb", "vpclink", "listeners", "certs", "observe", "tls", "core"],
    "matrix": ["labtarget", "nlb", "vpclink", "listeners", "certs", "observe", "tls", "core"],
    "cli": ["matrix", "labtarget", "explain", "nlb", "vpclink", "listeners", "flow", "targets", "certs", "observe", "tls", "core"],
}
MBEDTLS = re.compile(r"^(tls/|certs/|listeners/front\.c$|cli/version\.c$)")
EVENT = re.compile(r"^(tls/hop|core/http|core/loop\.|tls/tls_engine\.|flow/|targets/|listeners/listener\.|vpclink/client\.c$"
                   r"|labtarget/lab_target|labtarget/target|nlb/worker\.|nlb/admin\.c$|cli/version\.c$)")
def room(path):
    """The layer a file belongs to: its folder, or its folder's folder."""
    parts = path.split("/")[:-1]
    return next(("/".join(parts[:n]) for n in (2, 1) if "/".join(parts[:n]) in ALLOW), None)
def may(folder, other):
    return other == folder or other in ALLOW[folder] or other.split("/")[0] in ALLOW[folder]
bad = n = 0
for folder in ALLOW:
    for path in sorted(pathlib.Path(folder).glob("*.[ch]")) + sorted(pathlib.Path(folder).glob("*.def")):
        for no, line in enumerate(path.read_text().splitlines(), 1):
            m = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not m:
                continue
            n += 1
            inc, why = m.group(1), None
            top = inc.split("/")[0]
            to = room(inc)
            if to and not may(folder, to):
                why = f"{folder}/ may not include {to}/"
            elif top in ("mbedtls", "psa") and not MBEDTLS.match(str(path)):
                why = "mbedTLS is included in tls/, certs/ and listeners/front.c only"
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
