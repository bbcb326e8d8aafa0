#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A CI step in plain shell: is the configuration right, does every integration come out as expected?
#   NLBSIM   the binary (default: nlbsim on the PATH)
#   OUT      where the reports go (default: reports)
#   usage: check.sh [FILE.ini ...]
set -eu
nlbsim=${NLBSIM:-nlbsim}
out=${OUT:-reports}
here=$(dirname "$0")
[ $# -gt 0 ] || set -- "$here/topology.ini"

mkdir -p "$out"
for ini in "$@"; do
    "$nlbsim" check "$ini"
done
# 0 everything as expected, 1 an expectation was missed, 2 configuration, 3 environment
status=0
"$nlbsim" matrix --junit "$out/nlbsim.xml" --html "$out/nlbsim.html" "$@" || status=$?
echo "reports: $out/nlbsim.xml $out/nlbsim.html"
exit $status
