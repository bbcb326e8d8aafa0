# SPDX-License-Identifier: Apache-2.0
"""Certificates put together octet by octet, so that they may be as odd as one likes.

Signing is done by the `openssl` program or, much faster, by python3-cryptography when it is there.
"""
import datetime, functools, os, subprocess, tempfile

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, x25519


# --- DER ---------------------------------------------------------------------------------------
def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 128:
        return bytes([tag, n]) + body
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def seq(*parts):
    return tlv(0x30, *parts)


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted):
    nums = [int(x) for x in dotted.split(".")]
    out = b""
    for n in [nums[0] * 40 + nums[1]] + nums[2:]:
        piece = [n & 127]
        n >>= 7
        while n:
            piece.insert(0, 128 | n & 127)
            n >>= 7
        out += bytes(piece)
    return tlv(6, out)


def boolean(v):
    return tlv(1, b"\xff" if v else b"\0")


def octets(b):
    return tlv(4, b)


def bits(b, unused=0):
    return tlv(3, bytes([unused]), b)


NULL = b"\x05\0"
STRINGS = {"utf8": (0x0C, "utf-8"), "printable": (0x13, "latin-1"), "t61": (0x14, "latin-1"), "ia5": (0x16, "latin-1"),
           "bmp": (0x1E, "utf-16-be"), "universal": (0x1C, "utf-32-be"), "general": (0x1B, "latin-1")}


def string(text, kind="utf8"):
    tag, code = STRINGS[kind]
    return tlv(tag, text.encode(code))


ATTRIBUTES = {"CN": "2.5.4.3", "C": "2.5.4.6", "O": "2.5.4.10", "OU": "2.5.4.11", "L": "2.5.4.7", "ST": "2.5.4.8",
              "E": "1.2.840.113549.1.9.1", "DC": "0.9.2342.19200300.100.1.25", "SN": "2.5.4.5", "UID":
              "0.9.2342.19200300.100.1.1", "STREET": "2.5.4.9", "T": "2.5.4.12", "X": "1.2.3.4.5"}


def name(*pairs):
    """name(("C", "US"), ("CN", "x", "printable"), [("CN", "a"), ("OU", "b")]): a list is one multi-valued RDN."""
    rdns = []
    for p in pairs:
        avas = p if isinstance(p, list) else [p]
        rdns.append(tlv(0x31, *[seq(oid(ATTRIBUTES[a[0]]), string(a[1], *a[2:])) for a in avas]))
    return seq(*rdns)


def utc(t, kind=None):
    t = datetime.datetime.fromtimestamp(t, datetime.timezone.utc)
    if kind == "general" or (kind is None and t.year >= 2050):
        return tlv(0x18, t.strftime("%Y%m%d%H%M%SZ").encode())
    return tlv(0x17, t.strftime("%y%m%d%H%M%SZ").encode())


# --- keys --------------------------------------------------------------------------------------
CURVES = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1, "p224": ec.SECP224R1, "p192": ec.SECP192R1,
          "k256": ec.SECP256K1, "bp256": ec.BrainpoolP256R1}


@functools.lru_cache(None)
def key(label):
    """key("p256/1"): one key per label, made when first asked for."""
    kind = label.split("/")[0]
    if kind in CURVES:
        return ec.generate_private_key(CURVES[kind]())
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "ed448":
        return ed448.Ed448PrivateKey.generate()
    if kind == "x25519":
        return x25519.X25519PrivateKey.generate()
    if kind.startswith("dsa"):
        return dsa.generate_private_key(int(kind[3:]))
    if kind.startswith("rsa"):
        size = int(kind[3:])
        if size >= 1024:
            return rsa.generate_private_key(65537, size)
        return small_rsa(size)
    raise ValueError(label)


class SmallRsa:
    """RSA keys that libraries refuse to make."""

    def __init__(self, size):
        pem = subprocess.run(["openssl", "genrsa", "-traditional", str(size)], capture_output=True, check=True).stdout
        text = subprocess.run(["openssl", "rsa", "-text", "-noout"], input=pem, capture_output=True, check=True).stdout
        fields, current = {}, None
        for line in text.decode().splitlines():
            if line and not line.startswith(" "):
                current = line.split(":")[0]
                fields[current] = line.split(":", 1)[1]
            elif current:
                fields[current] += line.strip()
        number = lambda f: int(fields[f].split("(")[0].replace(":", "").strip() or "0", 16)
        self.n, self.d, self.e = number("modulus"), number("privateExponent"), 65537


@functools.lru_cache(None)
def small_rsa(size):
    return SmallRsa(size)


@functools.lru_cache(None)
def spki(label):
    k = key(label)
    if isinstance(k, SmallRsa):
        return seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer(k.n), integer(k.e))))
    return k.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


# --- signatures --------------------------------------------------------------------------------
HASHES = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256, "sha384":
          hashes.SHA384, "sha512": hashes.SHA512, "sha3-256": hashes.SHA3_256}
RSA_OIDS = {"md5": "1.2.840.113549.1.1.4", "sha1": "1.2.840.113549.1.1.5", "sha224": "1.2.840.113549.1.1.14",
            "sha256": "1.2.840.113549.1.1.11", "sha384": "1.2.840.113549.1.1.12", "sha512": "1.2.840.113549.1.1.13",
            "sha3-256": "2.16.840.1.101.3.4.3.14"}
EC_OIDS = {"sha1": "1.2.840.10045.4.1", "sha224": "1.2.840.10045.4.3.1", "sha256": "1.2.840.10045.4.3.2", "sha384":
           "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4", "sha3-256": "2.16.840.1.101.3.4.3.10", "md5":
           "1.2.840.10045.4.3.2"}
DSA_OIDS = {"sha1": "1.2.840.10040.4.3", "sha224": "2.16.840.1.101.3.4.3.1", "sha256": "2.16.840.1.101.3.4.3.2",
            "sha384": "2.16.840.1.101.3.4.3.3", "sha512": "2.16.840.1.101.3.4.3.4"}
DIGEST_OIDS = {"sha1": "1.3.14.3.2.26", "sha224": "2.16.840.1.101.3.4.2.4", "sha256": "2.16.840.1.101.3.4.2.1", "sha384":
               "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3", "md5": "1.2.840.113549.2.5"}


def pss_params(digest, salt):
    alg = seq(oid(DIGEST_OIDS[digest]), NULL)
    return seq(tlv(0xA0, alg), tlv(0xA1, seq(oid("1.2.840.113549.1.1.8"), alg)), tlv(0xA2, integer(salt)))


def algorithm(label, digest="sha256", pss=False):
    k = key(label)
    if isinstance(k, (rsa.RSAPrivateKey, SmallRsa)):
        if pss:
            return seq(oid("1.2.840.113549.1.1.10"), pss_params(digest, HASHES[digest]().digest_size))
        return seq(oid(RSA_OIDS[digest]), NULL)
    if isinstance(k, ec.EllipticCurvePrivateKey):
        return seq(oid(EC_OIDS[digest]))
    if isinstance(k, dsa.DSAPrivateKey):
        return seq(oid(DSA_OIDS.get(digest, DSA_OIDS["sha256"])))
    return seq(oid("1.3.101.112" if isinstance(k, ed25519.Ed25519PrivateKey) else "1.3.101.113"))


def sign(label, data, digest="sha256", pss=False):
    k, h = key(label), HASHES[digest]()
    if isinstance(k, SmallRsa):
        d = hashes.Hash(h)
        d.update(data)
        info = seq(seq(oid(DIGEST_OIDS[digest]), NULL), octets(d.finalize()))
        size = (k.n.bit_length() + 7) // 8
        if size < len(info) + 11:
            return b"\0" * size
        em = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
        return pow(int.from_bytes(em, "big"), k.d, k.n).to_bytes(size, "big")
    if isinstance(k, rsa.RSAPrivateKey):
        pad = padding.PSS(padding.MGF1(h), h.digest_size) if pss else padding.PKCS1v15()
        return k.sign(data, pad, h)
    if isinstance(k, ec.EllipticCurvePrivateKey):
        return k.sign(data, ec.ECDSA(h if digest != "md5" else hashes.SHA256()))
    if isinstance(k, dsa.DSAPrivateKey):
        return k.sign(data, h if digest in DSA_OIDS else hashes.SHA256())
    return k.sign(data)


# --- extensions --------------------------------------------------------------------------------
def ext(dotted, value, critical=False):
    return seq(oid(dotted), boolean(True) if critical else b"", octets(value))


def basic(ca=True, path=None, critical=True):
    body = (boolean(True) if ca else b"") + (integer(path) if path is not None else b"")
    return ext("2.5.29.19", seq(body), critical)


def usage(*names, critical=True):
    order = ["digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
             "cRLSign", "encipherOnly", "decipherOnly"]
    v = sum(1 << (15 - order.index(n)) for n in names).to_bytes(2, "big")
    top = max([order.index(n) for n in names], default=-1)
    used = 0 if top < 0 else top // 8 + 1
    return ext("2.5.29.15", bits(v[:used], (8 * used - top - 1) if used else 0), critical)


EKUS = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2", "code": "1.3.6.1.5.5.7.3.3", "any": "2.5.29.37.0",
        "mssgc": "1.3.6.1.4.1.311.10.3.3", "nssgc": "2.16.840.1.113730.4.1", "odd": "1.2.3.4"}


def eku(*names, critical=False):
    return ext("2.5.29.37", seq(*[oid(EKUS[n]) for n in names]), critical)


def general(kind, value):
    if kind == "dns":
        return tlv(0x82, value.encode("latin-1"))
    if kind == "mail":
        return tlv(0x81, value.encode("latin-1"))
    if kind == "uri":
        return tlv(0x86, value.encode("latin-1"))
    if kind == "ip":
        return tlv(0x87, bytes(value))
    if kind == "dir":
        return tlv(0xA4, value)
    if kind == "rid":
        return tlv(0x88, oid(value)[2:])
    if kind == "other":
        return tlv(0xA0, oid(value), tlv(0xA0, string("x")))
    return value


def san(*names, critical=False):
    return ext("2.5.29.17", seq(*[general(*n) for n in names]), critical)


def constraints(permitted=None, excluded=None, critical=True):
    tree = lambda names: b"".join(seq(general(*n[:2]), *n[2:]) for n in names)
    return ext("2.5.29.30", (seq((tlv(0xA0, tree(permitted)) if permitted is not None else b"") +
                                 (tlv(0xA1, tree(excluded)) if excluded is not None else b""))), critical)


def ski(value, critical=False):
    return ext("2.5.29.14", octets(value), critical)


def aki(key_id=None, issuer=None, serial=None, critical=False):
    body = (tlv(0x80, key_id) if key_id is not None else b"") + (tlv(0xA1, general("dir", issuer)) if issuer else b"")
    return ext("2.5.29.35", seq(body + (tlv(0x82, integer(serial)[2:]) if serial is not None else b"")), critical)


def policies(*oids, critical=False):
    return ext("2.5.29.32", seq(*[seq(oid(o)) for o in oids]), critical)


def mappings(*pairs, critical=False):
    return ext("2.5.29.33", seq(*[seq(oid(a), oid(b)) for a, b in pairs]), critical)


def policy_constraints(require=None, inhibit=None, critical=True):
    body = (tlv(0x80, integer(require)[2:]) if require is not None else b"")
    return ext("2.5.29.36", seq(body + (tlv(0x81, integer(inhibit)[2:]) if inhibit is not None else b"")), critical)


# --- certificates ------------------------------------------------------------------------------
_serial = [1000]


def tbs(subject, public, issuer, sig_alg, start, end, exts=None, version=3, serial=None, inner_alg=None, extra=b"",
        times=None):
    if serial is None:
        _serial[0] += 1
        serial = _serial[0]
    validity = times if times is not None else seq(utc(start), utc(end))
    return seq(tlv(0xA0, integer(version - 1)) if version != 1 else b"", integer(serial), inner_alg or sig_alg, issuer,
               validity, subject, public, extra, tlv(0xA3, seq(*exts)) if exts is not None else b"")


def finish(body, issuer_key, digest="sha256", pss=False, sig_alg=None, break_it=False):
    alg = sig_alg or algorithm(issuer_key, digest, pss)
    signature = bytearray(sign(issuer_key, body, digest, pss))
    if break_it:
        signature[-1] ^= 1
    return seq(body, alg, bits(bytes(signature)))


def pem(der):
    import base64
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
