#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Record real TLS handshakes for the corpora and unit tests of tls/tls_wire.

    python3 tests/fuzz/capture.py [NAME...]     writes tests/fuzz/corpus/hello/* and .../sniffer/*

hello/NAME    what the client sent first, byte for byte
sniffer/NAME  both directions in order: frames of direction (0 client, 1 server), 16-bit length, bytes
Needs openssl, gnutls-cli, curl and java; a client that is missing is left out.
"""
import os, select, shutil, socket, struct, subprocess, sys, tempfile, threading

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
HOST = "api.example.com"
MOST = 3200  # bytes kept of one transcript
WAIT = 20


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def record(server_port, listener, frames):
    """Pass one connection on and keep what was said."""
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", server_port), timeout=WAIT)
    ends = {client: (0, server), server: (1, client)}
    while ends:
        for s in select.select(list(ends), [], [], WAIT)[0]:
            direction, peer = ends[s]
            try:
                data = s.recv(16384)
            except OSError:
                data = b""
            if not data:
                del ends[s]
                try:
                    peer.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                continue
            frames.append((direction, data))
            try:
                peer.sendall(data)
            except OSError:
                pass
    client.close()
    server.close()


def session(server_args, client, work):
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-key", f"{work}/key.pem", "-cert",
                               f"{work}/cert.pem", "-www", "-naccept", "1", *server_args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while b"ACCEPT" not in server.stdout.readline():
        pass
    listener = socket.create_server(("127.0.0.1", 0))
    frames = []
    t = threading.Thread(target=record, args=(port, listener, frames), daemon=True)
    t.start()
    subprocess.run(client(listener.getsockname()[1]), input=b"GET / HTTP/1.0\r\n\r\n", stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=60)
    t.join(WAIT)
    server.terminate()
    server.wait()
    listener.close()
    return frames


def keep(name, frames):
    hello = b""
    for direction, data in frames:
        if direction == 1:
            break
        hello += data
    with open(os.path.join(HERE, "corpus/hello", name), "wb") as f:
        f.write(hello)
    left, out = MOST, b""
    for direction, data in frames:
        data = data[:left]
        left -= len(data)
        if data:
            out += struct.pack(">BH", direction, len(data)) + data
    with open(os.path.join(HERE, "corpus/sniffer", name), "wb") as f:
        f.write(out)
    print(name, [(d, len(x)) for d, x in frames][:8])


def openssl(*args):
    return lambda port: ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", HOST, "-quiet", "-no_ign_eof", *args]


def curl(*args):
    return lambda port: ["curl", "-s", "--max-time", "10", "--connect-to", f"::127.0.0.1:{port}", *args, f"https://{HOST}/"]


def gnutls(*args):
    return lambda port: ["gnutls-cli", "--port", str(port), "--sni-hostname", HOST, *args, "127.0.0.1"]


def java(trust):
    return lambda port: ["java", os.path.join(REPO, "tests/it/JdkClient.java"), "127.0.0.1", str(port), HOST, trust]


def main():
    work = tempfile.mkdtemp()
    for d in ("hello", "sniffer"):
        os.makedirs(os.path.join(HERE, "corpus", d), exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    f"{work}/key.pem", "-out", f"{work}/cert.pem", "-days", "3650", "-subj", f"/CN={HOST}", "-addext",
                    f"subjectAltName=DNS:{HOST}"], check=True, stderr=subprocess.DEVNULL)
    ca = f"{work}/cert.pem"
    runs = {
        "openssl-13": ([], openssl("-alpn", "h2,http/1.1")),
        "openssl-12": (["-tls1_2", "-alpn", "http/1.1"], openssl("-alpn", "h2,http/1.1")),
        "openssl-12-only": ([], openssl("-tls1_2")),
        "openssl-retry": (["-groups", "P-384"], openssl("-groups", "X25519:P-384")),
        "openssl-13-refuses": ([], openssl("-verify_return_error")),
        "openssl-12-refuses": (["-tls1_2"], openssl("-verify_return_error")),
        "openssl-12-asked": (["-tls1_2", "-verify", "1", "-CAfile", ca], openssl()),
        "openssl-12-proves": (["-tls1_2", "-Verify", "1", "-CAfile", ca],
                              openssl("-cert", ca, "-key", f"{work}/key.pem")),
        "openssl-no-suite": (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
                             openssl("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384")),
        "openssl-no-version": (["-tls1_3"], openssl("-tls1_2")),
        "openssl-no-sni": ([], lambda port: ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-noservername", "-quiet", "-no_ign_eof"]),
        "openssl-fallback": (["-tls1_2"], openssl("-tls1_2", "-fallback_scsv")),
        "curl-13": ([], curl("--cacert", ca)),
        "curl-13-refuses": ([], curl()),
        "gnutls-13": ([], gnutls("--insecure", "--alpn", "h2")),
        "gnutls-13-refuses": ([], gnutls()),
        "gnutls-12": (["-tls1_2"], gnutls("--insecure", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2")),
        "gnutls-12-refuses": (["-tls1_2"], gnutls()),
        "java-13": ([], java("all")),
        "java-13-refuses": ([], java("default")),
        "java-12-refuses": (["-tls1_2"], java("default")),
    }
    only = sys.argv[1:]
    for name, (server_args, client) in runs.items():
        if only and name not in only:
            continue
        if shutil.which(client(0)[0]) is None:
            print("left out:", name, file=sys.stderr)
            continue
        keep(name, session(server_args, client, work))
    if not only or "openssl-12-ticket" in only:
        session_file = f"{work}/session"
        session(["-tls1_2"], openssl("-sess_out", session_file), work)
        keep("openssl-12-ticket", session(["-tls1_2"], openssl("-sess_in", session_file), work))
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
