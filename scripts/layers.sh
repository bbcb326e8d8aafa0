#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Check that every #include goes down the list of layers (docs/ARCHITECTURE.md), that mbedTLS, OpenSSL and
# libevent are included only where the architecture allows it, that one file writes JSON, that no
# two files of a folder need each other, and that none of them shares the name of a static function, a static table or a
# struct.
#
#   sh scripts/layers.sh [BUILD]   BUILD: a folder of object files of the whole tree
#
# A module is a .c with its .h. Two kinds of need are looked at, each by itself, since one header may hold what several files
# share: a module includes another's header, itself or through a header without a .c of its own (that belongs to who includes
# it); or its object file refers to a symbol that the other's defines. So a table of functions counts like the calls that it
# stands for, and a callback that is handed down is no need of who calls it.
set -eu
cd "$(dirname "$0")/.."
python3 - "${1:-}" <<'PY'
import re, subprocess, sys, pathlib
ALLOW = {
    "core": [],
    "confine": ["core"],
    "tls": ["core"],
    "certs/x509": ["tls", "core"],
    "certs/store": ["certs/lab", "certs/x509", "tls", "core"],
    "certs/lab": ["certs/x509", "tls", "core"],
    "certs/judge": ["certs/store", "certs/x509", "tls", "core"],
    "certs/audit": ["certs/judge", "certs/lab", "certs/store", "certs/x509", "tls", "core"],
    "diagnose": ["certs", "tls", "core"],
    "observe": ["certs", "tls", "core"],
    "explain": ["diagnose", "observe", "certs", "tls", "core"],
    "targets": ["certs", "observe", "tls", "core"],
    "flow": ["targets", "certs", "observe", "tls", "core"],
    "listeners": ["flow", "targets", "certs", "observe", "tls", "core"],
    "vpclink": ["diagnose", "certs", "tls", "core"],
    "nlb": ["listeners", "flow", "targets", "certs", "observe", "tls", "confine", "core"],
    "labtarget": ["certs", "tls", "core"],
    "testbed": ["labtarget", "nlb", "vpclink", "listeners", "diagnose", "certs", "tls", "core"],
    "matrix": ["testbed", "labtarget", "nlb", "vpclink", "listeners", "diagnose", "certs", "observe", "tls", "core"],
    "cli": ["matrix", "testbed", "labtarget", "explain", "diagnose", "nlb", "vpclink", "listeners", "flow", "targets", "certs", "observe", "tls", "confine", "core"],
}
MBEDTLS = re.compile(r"^(tls/|certs/|listeners/front\.c$|cli/cmd_version\.c$)")
EVENT = re.compile(r"^(tls/hop|core/http|core/loop\.|core/watch\.|core/linger\.|tls/tls_engine\.|flow/|targets/|listeners/listener\.|vpclink/(client|call|link|pool)\."
                   r"|labtarget/|nlb/worker\.|nlb/admin\.c$|cli/cmd_version\.c$)")
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
            if re.search(r"\bjson_dump\w*\(", line) and not str(path).startswith("core/foreign."):
                bad += 1
                print(f"{path}:{no}: JSON is written by foreign_dumps() and foreign_dumpf() (core/foreign.h)", file=sys.stderr)
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
            elif top == "openssl" and folder != "tls":
                why = "OpenSSL is included in tls/ only"
            elif top in ("event2", "event.h") and not EVENT.match(str(path)):
                why = "libevent is not included here"
            if why:
                bad += 1
                print(f"{path}:{no}: {inc}: {why}", file=sys.stderr)
if n == 0:
    sys.exit("layers: no include was read")
if bad:
    sys.exit(f"layers: {bad} of {n} includes go the wrong way")


def listed(build):
    """What nm says of every object file: (path of its source, kind, name)."""
    objects = [o for folder in ALLOW for o in sorted(pathlib.Path(build, folder).glob("*.o")) if source_of(o, build).exists()]
    if not objects:
        sys.exit(f"layers: no object file in {build}")
    out = subprocess.run(["nm", "-A", *objects], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in out.splitlines():
        path, rest = line.split(":", 1)
        *_, kind, name = rest.split()
        yield source_of(path, build), kind, name


def source_of(obj, build):
    return pathlib.Path(obj).relative_to(build).with_suffix(".c")


SYMBOLS = {}  # of a source: [(kind, name)]
for source, kind, name in listed(sys.argv[1]) if sys.argv[1] else ():
    SYMBOLS.setdefault(source, []).append((kind, name))


def static_functions(folder):
    for path in sorted(pathlib.Path(folder).glob("*.c")):
        for m in re.finditer(r"^static [^=;(]*?\b(\w+)\(", path.read_text(), re.M):
            yield f"{m.group(1)}() is static", path.name


def tags(folder):
    for path in sorted(pathlib.Path(folder).glob("*.[ch]")):
        for m in re.finditer(r"^(?:static (?:const )?)?((?:struct|union|enum) \w+) \{", path.read_text(), re.M):
            yield f"{m.group(1)} is defined", path.name


def static_objects(folder):
    """Those of files; a function's own (name.0 in the object file) is found through its function."""
    for source, symbols in SYMBOLS.items():
        if source.parent == pathlib.Path(folder):
            for kind, name in symbols:
                if kind in "bdrs" and "." not in name:
                    yield f"{name} is static", source.name


def recurring(folder):
    """One name for several things in a folder: a debugger would not know which."""
    where = {}
    for kind in static_functions, tags, static_objects:
        for what, name in kind(folder):
            where.setdefault(what, set()).add(name)
    return {what: files for what, files in where.items() if len(files) > 1}


twice = {f"{folder}/: {what} in {', '.join(sorted(files))}" for folder in ALLOW
         for what, files in recurring(folder).items()}
if twice:
    sys.exit("\n".join(sorted(twice)) + "\nlayers: give them names of their own")


def circles(needs):
    """The groups of files that need each other (Tarjan's strongly connected components)."""
    number, low, stack, found = {}, {}, [], []

    def visit(a):
        number[a] = low[a] = len(number)
        stack.append(a)
        for b in needs[a]:
            if b not in number:
                visit(b)
                low[a] = min(low[a], low[b])
            elif b in stack:
                low[a] = min(low[a], number[b])
        if low[a] == number[a]:
            at = stack.index(a)
            found.append(stack[at:])
            del stack[at:]

    for a in needs:
        if a not in number:
            visit(a)
    return [c for c in found if len(c) > 1]


def included(folder):
    """The modules of a folder, each with the modules whose headers it includes."""
    modules, direct = {p.stem for p in pathlib.Path(folder).glob("*.c")}, {}
    for path in pathlib.Path(folder).glob("*.[ch]"):
        found = re.findall(rf'^\s*#\s*include\s*"{folder}/(\w+)\.h"', path.read_text(), re.M)
        direct.setdefault(path.stem, set()).update(found)

    def through(a, seen):
        for b in direct.get(a, ()):
            if b in modules:
                yield b
            elif b not in seen:
                yield from through(b, seen | {b})

    return {a: set(through(a, set())) - {a} for a in modules}


def called(folder):
    """The modules of a folder, each with the modules whose symbols it refers to; and (defined, needed) global symbols of each."""
    objects = {source.stem: ({n for k, n in symbols if k.isupper() and k != "U"}, {n for k, n in symbols if k == "U"})
               for source, symbols in SYMBOLS.items() if source.parent == pathlib.Path(folder)}
    return {a: {b for b in objects if b != a and objects[a][1] & objects[b][0]} for a in objects}, objects


n_circles = 0
for folder in ALLOW:
    includes = included(folder)
    calls, objects = called(folder)
    for needs, how in (includes, "includes"), (calls, "calls"):
        for circle in circles(needs):
            n_circles += 1
            print(f"{folder}/: a circle of {how}: {', '.join(f + '.c' for f in sorted(circle))}", file=sys.stderr)
            for a in sorted(circle):
                for b in sorted(needs[a] & set(circle)):
                    what = b + ".h" if needs is includes else ", ".join(sorted(objects[a][1] & objects[b][0]))
                    print(f"    {a}.c {how} {what}" + (f" of {b}.c" if needs is calls else ""), file=sys.stderr)
if n_circles:
    sys.exit(f"layers: {n_circles} circles")
print(f"layers: {n} includes, all downwards" + (f"; {len(SYMBOLS)} object files" if SYMBOLS else "") + "; no circle")
PY
