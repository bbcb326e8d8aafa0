#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the corpus of fuzz_pem from the certificate lab; the same bytes every time.

   python3 tests/fuzz/pem_corpus.py build/release/nlbsim
"""
import pathlib
import subprocess
import sys
import tempfile

OUT = pathlib.Path(__file__).parent / "corpus" / "pem"
WITH_KEY = ["valid", "expired", "self-signed", "wrong-order", "v1-leaf", "no-subject", "ip-san", "ecdsa-384", "rsa-1024"]
ALONE = ["name-constraints-violated", "unknown-critical-extension", "eku-client-only", "extended-validation",
         "intermediate-no-basic-constraints", "bad-signature", "long-chain-5"]

with tempfile.TemporaryDirectory() as tmp:
    pki = pathlib.Path(tmp, "pki")
    subprocess.run([sys.argv[1], "lab", "--seed", "fuzz", "--at", "2026-11-21", "--no-large-rsa", "--host", "a.example", str(pki)],
                   check=True)
    OUT.mkdir(parents=True, exist_ok=True)
    for name in WITH_KEY:
        (OUT / name).write_bytes((pki / "server" / f"{name}.pem").read_bytes() + (pki / "server" / f"{name}.key").read_bytes())
    for name in ALONE:
        (OUT / name).write_bytes((pki / "server" / f"{name}.pem").read_bytes())
    (OUT / "crl").write_bytes((pki / "crl" / "issuing.pem").read_bytes())
    der = subprocess.run(["openssl", "x509", "-in", str(pki / "server" / "valid.pem"), "-outform", "DER"], check=True,
                         stdout=subprocess.PIPE).stdout
    (OUT / "der").write_bytes(der)
    pkcs8 = subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", str(pki / "server" / "valid.key")], check=True,
                           stdout=subprocess.PIPE).stdout
    (OUT / "pkcs8").write_bytes((pki / "server" / "valid.pem").read_bytes() + pkcs8)
