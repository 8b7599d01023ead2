#!/usr/bin/env python3
"""Verifies the journals of Ringfence control links, from the specification alone.

Written from docs/protocol/control-link.md and docs/protocol/messages.md, with nothing but Python's standard library (3.9 or newer).
Everything cryptographic is here: Ed25519 (RFC 8032), AES-256-GCM (FIPS 197, SP 800-38D), X25519 (RFC 7748), ML-KEM-768 (FIPS 203).

    wire_verify.py --state DIR [--messages docs/protocol/messages.md] [--party-seed HEX] [--json] [--quiet]

Exit status: 0 everything is proved, 1 something is not, 2 it could not be tried.
"""
import argparse
import base64
import binascii
import gzip
import hashlib
import hmac
import json
import math
import os
import re
import sys

# ---------------------------------------------------------------------------------------------------- Ed25519, RFC 8032

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def _add(a, b):
    x = (a[1] - a[0]) * (b[1] - b[0]) % P
    y = (a[1] + a[0]) * (b[1] + b[0]) % P
    z = 2 * a[3] * b[3] * D % P
    w = 2 * a[2] * b[2] % P
    e, f, g, h = y - x, w - z, w + z, y + x
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _double(a):
    x, y, z, _ = a
    s, t, u = x * x % P, y * y % P, 2 * z * z % P
    h = s + t
    e = h - (x + y) * (x + y) % P
    g = s - t
    f = u + g
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _multiply(scalar, point):
    table = [(0, 1, 1, 0)]
    for _ in range(15):
        table.append(_add(table[-1], point))
    result = (0, 1, 1, 0)
    for shift in range(252, -1, -4):
        for _ in range(4):
            result = _double(result)
        digit = (scalar >> shift) & 15
        if digit:
            result = _add(result, table[digit])
    return result


def _decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def _compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = _decompress(bytes.fromhex("5866666666666666666666666666666666666666666666666666666666666666"))
# Multiples of the base point by their place: signatures are many, and they all multiply it.
_BASE_TABLE = []


def _multiply_base(scalar):
    if not _BASE_TABLE:
        step = BASE
        for _ in range(64):
            row = [(0, 1, 1, 0)]
            for _ in range(15):
                row.append(_add(row[-1], step))
            _BASE_TABLE.append(row)
            for _ in range(4):
                step = _double(step)
    result = (0, 1, 1, 0)
    for place in range(64):
        digit = (scalar >> 4 * place) & 15
        if digit:
            result = _add(result, _BASE_TABLE[place][digit])
    return result


def ed25519_verify(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, s = _decompress(public), int.from_bytes(signature[32:], "little")
    if a is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    negative = (P - a[0], a[1], a[2], P - a[3])
    return _compress(_add(_multiply_base(s), _multiply(h, negative))) == signature[:32]


def ed25519_public(seed):
    return _compress(_multiply_base(_clamp(hashlib.sha512(seed).digest()[:32])))


def ed25519_sign(seed, message):
    digest = hashlib.sha512(seed).digest()
    a = _clamp(digest[:32])
    public = _compress(_multiply_base(a))
    r = int.from_bytes(hashlib.sha512(digest[32:] + message).digest(), "little") % L
    point = _compress(_multiply_base(r))
    h = int.from_bytes(hashlib.sha512(point + public + message).digest(), "little") % L
    return point + ((r + h * a) % L).to_bytes(32, "little")


def _clamp(data):
    return int.from_bytes(data, "little") & ((1 << 254) - 8) | (1 << 254)


SMALL_ORDER = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}


def parse_key(text):
    """The 32 bytes of a public key as documents spell it, or None."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]", text):
        return None
    data = base64.urlsafe_b64decode(text + "=")
    y = data[:31] + bytes([data[31] & 127])
    return data if int.from_bytes(y, "little") < P and y.hex() not in SMALL_ORDER else None


# ---------------------------------------------------------------------------------------- AES-256-GCM, FIPS 197, SP 800-38D


def _tables():
    power, log, x = [0] * 256, [0] * 256, 1
    for i in range(255):
        power[i], log[x] = x, i
        x ^= (x << 1) ^ (0x11B if x & 0x80 else 0)
        x &= 0xFF
    sbox = []
    for i in range(256):
        b = power[255 - log[i]] if i > 1 else i
        b ^= (b << 1 | b >> 7) ^ (b << 2 | b >> 6) ^ (b << 3 | b >> 5) ^ (b << 4 | b >> 4)
        sbox.append((b ^ 0x63) & 0xFF)
    t0 = []
    for s in sbox:
        d = (s << 1) ^ (0x11B if s & 0x80 else 0)
        t0.append(d << 24 | s << 16 | s << 8 | (d ^ s))
    return sbox, [t0] + [[(t >> 8 * n | t << 32 - 8 * n) & 0xFFFFFFFF for t in t0] for n in (1, 2, 3)]


SBOX, (T0, T1, T2, T3) = _tables()


class AesGcm:
    """Seals; nothing here needs to open."""

    def __init__(self, key):
        words = [int.from_bytes(key[i : i + 4], "big") for i in range(0, 32, 4)]
        rcon = 1
        for i in range(8, 60):
            t = words[-1]
            if i % 8 == 0:
                t = (t << 8 | t >> 24) & 0xFFFFFFFF
            if i % 4 == 0:
                t = SBOX[t >> 24] << 24 | SBOX[t >> 16 & 255] << 16 | SBOX[t >> 8 & 255] << 8 | SBOX[t & 255]
            if i % 8 == 0:
                t ^= rcon << 24
                rcon <<= 1
            words.append(words[i - 8] ^ t)
        self.words = words
        h = int.from_bytes(self._block(0, 0, 0, 0), "big")
        # The product of H and every value of every byte of a block.
        bits = []
        for _ in range(128):
            bits.append(h)
            h = h >> 1 ^ (0xE1 << 120 if h & 1 else 0)
        self.products = []
        for place in range(16):
            row = [0] * 256
            for bit in range(8):
                row[128 >> bit] = bits[8 * place + bit]
            for value in range(1, 256):
                low = value & -value
                if low != value:
                    row[value] = row[low] ^ row[value ^ low]
            self.products.append(row)

    def _block(self, a, b, c, d):
        w = self.words
        a, b, c, d = a ^ w[0], b ^ w[1], c ^ w[2], d ^ w[3]
        for i in range(4, 56, 4):
            a, b, c, d = (
                T0[a >> 24] ^ T1[b >> 16 & 255] ^ T2[c >> 8 & 255] ^ T3[d & 255] ^ w[i],
                T0[b >> 24] ^ T1[c >> 16 & 255] ^ T2[d >> 8 & 255] ^ T3[a & 255] ^ w[i + 1],
                T0[c >> 24] ^ T1[d >> 16 & 255] ^ T2[a >> 8 & 255] ^ T3[b & 255] ^ w[i + 2],
                T0[d >> 24] ^ T1[a >> 16 & 255] ^ T2[b >> 8 & 255] ^ T3[c & 255] ^ w[i + 3],
            )
        out = bytearray()
        for i, (p, q, r, s) in enumerate(((a, b, c, d), (b, c, d, a), (c, d, a, b), (d, a, b, c))):
            word = SBOX[p >> 24] << 24 | SBOX[q >> 16 & 255] << 16 | SBOX[r >> 8 & 255] << 8 | SBOX[s & 255]
            out += (word ^ w[56 + i]).to_bytes(4, "big")
        return bytes(out)

    def seal(self, nonce, aad, plain):
        a, b, c = (int.from_bytes(nonce[i : i + 4], "big") for i in (0, 4, 8))
        stream = b"".join(self._block(a, b, c, n + 2) for n in range((len(plain) + 15) // 16))
        sealed = (int.from_bytes(plain, "big") ^ int.from_bytes(stream[: len(plain)], "big")).to_bytes(len(plain), "big")
        data = aad + bytes(-len(aad) % 16) + sealed + bytes(-len(sealed) % 16)
        data += (8 * len(aad)).to_bytes(8, "big") + (8 * len(sealed)).to_bytes(8, "big")
        y, rows = 0, self.products
        for i in range(0, len(data), 16):
            x = (y ^ int.from_bytes(data[i : i + 16], "big")).to_bytes(16, "big")
            y = 0
            for place in range(16):
                y ^= rows[place][x[place]]
        tag = y ^ int.from_bytes(self._block(a, b, c, 1), "big")
        return sealed + tag.to_bytes(16, "big")


# ------------------------------------------------------------------------------- X25519, RFC 7748; ML-KEM-768, FIPS 203


def x25519_public(scalar):
    k = _clamp(scalar)
    x2, z2, x3, z3, swap = 1, 0, 9, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a % P, b * b % P
        e = aa - bb
        da, cb = (x3 - z3) * a % P, (x3 + z3) * b % P
        x3, z3 = (da + cb) ** 2 % P, 9 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


Q, N, RANK = 3329, 256, 3
ZETAS = [pow(17, int(f"{i:07b}"[::-1], 2), Q) for i in range(128)]


def _ntt(f):
    f, i, length = list(f), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta = ZETAS[i]
            i += 1
            for j in range(start, start + length):
                t = zeta * f[j + length] % Q
                f[j + length], f[j] = (f[j] - t) % Q, (f[j] + t) % Q
        length //= 2
    return f


def _sample_ntt(seed):
    out, stream = [], hashlib.shake_128(seed).digest(168 * 8)
    for i in range(0, len(stream) - 2, 3):
        a, b, c = stream[i : i + 3]
        for d in (a + 256 * (b % 16), b // 16 + 16 * c):
            if d < Q and len(out) < N:
                out.append(d)
    assert len(out) == N
    return out


def _sample_cbd(data):
    value = int.from_bytes(data, "little")
    bit = lambda n: value >> n & 1
    return [(bit(4 * i) + bit(4 * i + 1) - bit(4 * i + 2) - bit(4 * i + 3)) % Q for i in range(N)]


def ml_kem_768_public(seed):
    """The encapsulation key of d ‖ z."""
    g = hashlib.sha3_512(seed[:32] + bytes([RANK])).digest()
    rho, sigma = g[:32], g[32:]
    noise = [_ntt(_sample_cbd(hashlib.shake_256(sigma + bytes([n])).digest(128))) for n in range(2 * RANK)]
    s, e, out = noise[:RANK], noise[RANK:], b""
    for i in range(RANK):
        t = list(e[i])
        for j in range(RANK):
            a = _sample_ntt(rho + bytes([j, i]))
            for k in range(128):
                gamma = ZETAS[64 + k // 2] * (-1 if k % 2 else 1)
                p, q, u, v = a[2 * k], a[2 * k + 1], s[j][2 * k], s[j][2 * k + 1]
                t[2 * k] = (t[2 * k] + p * u + q * v * gamma) % Q
                t[2 * k + 1] = (t[2 * k + 1] + p * v + q * u) % Q
        out += sum(c << 12 * n for n, c in enumerate(t)).to_bytes(384, "little")
    return out + rho


# --------------------------------------------------------------------------------------------- canonical JSON, envelopes

SAFE = 2**53 - 1


class Bad(Exception):
    """A rule was broken; `code` says which."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def canonical(value):
    """RFC 8785 for whole numbers and keys of printable ASCII; raises ValueError for anything else."""
    _check_json(value, 0)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _check_json(value, depth):
    if depth > 64:
        raise ValueError("nested too deeply")
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, int):
        if abs(value) > SAFE:
            raise ValueError("not a safe integer")
    elif isinstance(value, list):
        for item in value:
            _check_json(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not re.fullmatch(r"[\x20-\x7e]+", key):
                raise ValueError("keys are printable ASCII")
            _check_json(item, depth + 1)
    else:
        raise ValueError("no fractions")


def parse_canonical(data):
    """The value in canonical bytes; None for any others."""
    try:
        value = json.loads(data.decode("utf-8"))
        return value if canonical(value) == data else None
    except (ValueError, RecursionError):
        return None


def parse_line(data):
    """The value in a line of a journal; None for one that is not canonical or holds the key that no record has."""
    return None if b'"__proto__":' in data else parse_canonical(data)


def verify_domain(public, domain, message, signature):
    return ed25519_verify(public, domain.encode() + b"\0" + message, signature)


def open_envelope(envelope, payload_type, root):
    """The payload that `root` (bytes) signed as `payload_type`; raises Bad('keys')."""
    payload = b64(envelope["payload"])
    message = b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode(), len(payload), payload)
    keyid = hashlib.sha256(root).digest()[:16].hex()
    if envelope["payloadType"] != payload_type or not any(
        s["keyid"] == keyid and ed25519_verify(root, message, b64(s["sig"])) for s in envelope["signatures"]
    ):
        raise Bad("keys")
    value = parse_canonical(payload)
    if value is None:
        raise Bad("keys")
    return value


def b64(text):
    return base64.b64decode(text)


def is_b64(value, length=None):
    if not isinstance(value, str) or (length is not None and len(value) != length):
        return False
    return re.fullmatch(r"(?:[0-9a-zA-Z+/]{4})*(?:[0-9a-zA-Z+/]{2}==|[0-9a-zA-Z+/]{3}=)?", value) is not None


# ------------------------------------------------------------------------------------------ the messages of messages.md


class Shape:
    """One field of a message, as a row of its table says."""

    def __init__(self, text):
        self.fields, self.optional = {}, text.endswith(", may be absent")
        text = text[: -len(", may be absent")] if self.optional else text
        self.kinds = []
        self.item = None
        listed = re.match(r"list of (\d*)…?(\d*): (.*)", text)
        if listed:
            low, high, inner = listed.groups()
            self.kinds = [("list", int(low), int(high or low))]
            self.item = Shape(inner)
            return
        for choice in text.split(" or "):
            self.kinds.append(self._kind(choice))

    @staticmethod
    def _kind(text):
        if text in ("object", "null", "boolean"):
            return (text,)
        number = re.fullmatch(r"whole number (-?\d+)…(-?\d+)", text)
        if number:
            return ("whole", int(number[1]), int(number[2]))
        base = re.fullmatch(r"base64(?: of (\d+)(?:…(\d+))? characters)?", text)
        if base:
            return ("base64", int(base[1] or 0), int(base[2] or base[1] or 8192))
        words = re.findall(r"`([^`]*)`", text.replace("\\|", "|"))
        if len(words) == 1 and words[0].startswith("^"):
            return ("text", words[0].replace("\\/", "/"))
        if len(words) == 1:
            try:
                return ("constant", json.loads(words[0]))
            except ValueError:
                pass
        if not words:
            raise ValueError(f"messages.md says something unknown of a field: {text}")
        return ("enum", tuple(words))

    def fits(self, value):
        return any(self._fits(kind, value) for kind in self.kinds)

    def _fits(self, kind, value):
        name = kind[0]
        whole = isinstance(value, int) and not isinstance(value, bool)
        if name == "object":
            return isinstance(value, dict) and fits_object(self.fields, value)
        if name == "list":
            return isinstance(value, list) and kind[1] <= len(value) <= kind[2] and all(map(self.item.fits, value))
        if name == "null":
            return value is None
        if name == "boolean":
            return isinstance(value, bool)
        if name == "whole":
            return whole and kind[1] <= value <= kind[2]
        if name == "constant":
            return type(value) is type(kind[1]) and value == kind[1]
        if not isinstance(value, str):
            return False
        if name == "enum":
            return value in kind[1]
        if name == "base64":
            return is_b64(value) and kind[1] <= len(value) <= kind[2]
        return re.fullmatch(kind[1][1:-1], value) is not None

    def count(self, value, path, found):
        """Bits that this value could say, by path."""
        if self.kinds[0][0] == "list":
            found.append((f"{path}.length", math.log2(self.kinds[0][2] - self.kinds[0][1] + 1)))
            for index, item in enumerate(value):
                self.item.count(item, f"{path}[{index}]", found)
            return
        if len(self.kinds) > 1:
            found.append((path, math.log2(len(self.kinds))))
        if any(kind[0] == "object" for kind in self.kinds) and isinstance(value, dict):
            count_object(self.fields, value, path, found)
        else:
            found.append((path, max((self._bits(k) for k in self.kinds if k[0] != "object"), default=0)))

    @staticmethod
    def _bits(kind):
        if kind[0] == "enum":
            return math.log2(len(kind[1]))
        if kind[0] == "whole":
            return math.log2(kind[2] - kind[1] + 1)
        if kind[0] == "boolean":
            return 1
        if kind[0] == "base64":
            return 8 * kind[2]
        if kind[0] != "text":
            return 0
        for pattern, bits in (
            (r"\^\w+_\[a-h\]\[a-z2-7\]\{25\}\$", 128),
            (r"\^\[0-9a-f\]\{64\}\$", 256),
            (r"\^\[A-Za-z0-9_-\]\{42\}\[\w+\]\$", 256),
            (r"\^\(\?:\[A-Z\]\{2\}\|EEA\)\$", math.log2(677)),
            (r"\^\[A-Z0-9-\]\{1,16\}\$", math.log2((37**17 - 37) / 36)),
        ):
            if re.fullmatch(pattern, kind[1]):
                return bits
        return 8 * 8192


def fits_object(fields, value):
    return set(value) <= set(fields) and all(
        field.fits(value[name]) if name in value else field.optional for name, field in fields.items()
    )


def count_object(fields, value, path, found):
    for name, field in fields.items():
        here = name if path == "" else f"{path}.{name}"
        if field.optional:
            found.append((here, 1))
        if name in value:
            field.count(value[name], here, found)


class Message:
    def __init__(self, name, number, cells):
        self.name, self.number, self.sender, self.reader = name, number, cells[0], cells[1]
        self.signed, self.durable, self.transition = (cell == "yes" for cell in cells[2:5])
        self.shapes = {}

    def add(self, path, values):
        numbered = re.match(r"\((\d+)\) (.*)", path)
        variant, path = (int(numbered[1]), numbered[2]) if numbered else (0, path)
        fields = self.shapes.setdefault(variant, {})
        *parents, name = path.split(".")
        for parent in parents:
            shape = fields[parent.replace("[]", "")]
            fields = (shape.item if parent.endswith("[]") else shape).fields
        fields[name] = Shape(values)

    def fits(self, body):
        return isinstance(body, dict) and any(fits_object(fields, body) for fields in self.shapes.values() or [{}])

    def bits(self, body):
        found = []
        if len(self.shapes) > 1:
            found.append(("", math.log2(len(self.shapes))))
        fitting = [fields for fields in self.shapes.values() if fits_object(fields, body)]
        count_object(fitting[0] if fitting else {}, body, "", found)
        return found

    def may_cross(self, direction, role):
        if direction == "out":
            return self.sender in ("party", role)
        return self.sender == "control-plane" and self.reader in ("party", role)


def read_messages(path):
    """The closed set, by number, from docs/protocol/messages.md."""
    messages, named, current = {}, {}, None
    with open(path, encoding="utf-8") as page:
        for line in page:
            row = re.match(r"\| `0x([0-9a-f]{4})` \| \[([a-z-]+)\]\(#[a-z-]+\) \| (.*) \|$", line)
            if row:
                message = Message(row[2], int(row[1], 16), row[3].split(" | "))
                messages[message.number] = named[message.name] = message
            elif line.startswith("## "):
                current = named.get(line[3:].strip())
            else:
                field = re.match(r"\| `([^`]+)` \| (.*) \|$", line)
                if field and current is not None:
                    current.add(field[1], field[2])
    if not messages:
        raise OSError(f"{path} lists no messages")
    return messages


# ------------------------------------------------------------------------------------------------------------ journal

HEX64 = r"[0-9a-f]{64}"
CONN = r"[0-9a-f]{16}"
MOMENT = 4_102_444_800_000
LONGEST_LINE = 262_144
REFUSALS = (
    "size version kind class reserved head recipient keys handshake-signature key-agreement sequence tag chain length padding "
    "unknown-message sender signature-missing signature-unexpected signature canonical schema message-id message-gap order budget"
).split()
ENDS = REFUSALS + ["closed", "goodbye", "timed-out", "failed", "stopped", "renewed"]


def is_whole(value, low=0, high=SAFE):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_text(value, pattern):
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def an_id(*prefixes):
    return lambda v: is_text(v, f"(?:{'|'.join(prefixes)})_[a-h][a-z2-7]{{25}}")


positive = lambda v: is_whole(v, 1)
hex64 = lambda v: is_text(v, HEX64)
conn = lambda v: is_text(v, CONN)
body = lambda v: isinstance(v, dict)
one_of = lambda *values: lambda v: isinstance(v, (str, int)) and not isinstance(v, bool) and v in values
endpoint = lambda v: is_text(v, r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]{2,45}\]):\d{1,5}")


def is_queue(value, low=1, high=64):
    fields = {"mid": positive, "number": lambda v: is_whole(v, 0, 0xFFFF), "body": body}
    return isinstance(value, list) and low <= len(value) <= high and all(has_fields(item, fields) for item in value)


def has_fields(value, fields):
    """Whether an object has these fields and no others; a name that ends in ? may be absent."""
    if not isinstance(value, dict):
        return False
    known = {name.rstrip("?"): check for name, check in fields.items()}
    missing = [name for name in fields if not name.endswith("?") and name not in value]
    return not missing and set(value) <= set(known) and all(known[name](item) for name, item in value.items())


OWNER = {
    "role": one_of("agent", "custodian"),
    "party": an_id("agt", "cus"),
    "org": an_id("org"),
    "link": an_id("ctl"),
    "seed?": hex64,
}
COMMON = {"seq": positive, "t": lambda v: is_whole(v, 0, MOMENT), "hash_prev": hex64, "hash": hex64}
KINDS = {
    "start": {"format": one_of(1, 2), **OWNER},
    "checkpoint": {
        **OWNER,
        **{name: is_whole for name in ("opened", "received", "queued", "acknowledged")},
        "unacknowledged": lambda v: is_queue(v, 0, SAFE),
        "budget": lambda v: has_fields(v, {"tokens": lambda n: is_whole(n, -SAFE), "at": is_whole}),
        "sig": lambda v: is_b64(v, 88),
    },
    "dial": {
        "to": lambda v: is_text(v, r"[\x21-\x7e]{1,260}"),
        "via": one_of("direct", "proxy"),
        "local": endpoint,
        "remote": endpoint,
    },
    "hangup": {"dial": positive, "in": is_whole, "out": is_whole},
    "open": {"conn": conn, "frame": is_b64, "dial?": positive},
    "accept": {"conn": conn, "frame": is_b64, "transcript": hex64},
    "frame": {
        "conn": conn,
        "dir": one_of("in", "out"),
        "n": is_whole,
        "number": lambda v: is_whole(v, 0, 0xFFFF),
        "mid": is_whole,
        "body": body,
        "sig?": lambda v: is_b64(v, 88),
        "size": one_of(512, 2048, 8192),
        "wire": hex64,
    },
    "refused": {"conn": conn, "dir": one_of("in"), "size": is_whole, "wire": hex64, "code": one_of(*REFUSALS)},
    "disconnect": {"conn": conn, "in": is_whole, "out": is_whole, "code": one_of(*ENDS)},
    "queue": {"queue": is_queue},
    "fact": {"name": lambda v: is_text(v, r"[a-z][a-z-]{0,39}"), "body": body, "of?": positive, "queue?": is_queue},
}
FOLD = {
    "kind": one_of("fold"),
    "conn": conn,
    "seq": positive,
    "t": lambda v: is_whole(v, 0, MOMENT),
    "hash_prev": hex64,
    "hash": hex64,
    "in": is_whole,
    "out": is_whole,
    "frames": lambda v: isinstance(v, list) and 2 <= len(v) <= 512 and all(has_fields(f, FOLDED) for f in v),
}
FOLDED = {
    "d": is_whole,
    "m": lambda v: is_whole(v, 0, 0xFFFF),
    "b?": body,
    "e?": is_whole,
    "s?": lambda v: is_b64(v, 88),
    "w": lambda v: is_b64(v, 44),
    "z?": one_of(512, 2048, 8192),
}
FOLDS = {0x0102: "out", 0x0103: "out", 0x0203: "in", 0x0205: "in"}
RENEW = 0x0203


class Broken(Exception):
    """The journal is no chain at this record."""

    def __init__(self, seq, code):
        super().__init__(f"the journal is broken at record {seq} ({code})")
        self.seq, self.code = seq, code


def record_hash(record):
    rest = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(b"ringfence/journal/v1" + canonical(rest)).hexdigest()


class Chain:
    """Where a journal stands, and what may come next."""

    def __init__(self, seq=0, last="0" * 64, t=0, anywhere=False):
        self.seq, self.hash, self.t, self.anywhere = seq, last, t, anywhere

    def line(self, data):
        value = parse_line(data) if len(data) <= LONGEST_LINE else None
        if value is None:
            raise Broken(self.seq + 1, "canonical")
        if isinstance(value, dict) and value.get("kind") == "fold":
            return list(self._unfold(value))
        return [self.take(value)]

    def take(self, record):
        kind = record.get("kind") if isinstance(record, dict) else None
        fields = KINDS.get(kind) if isinstance(kind, str) else None
        if fields is None or not has_fields(record, {"kind": one_of(kind), **COMMON, **fields}):
            raise Broken(self.seq + 1, "schema")
        if record_hash(record) != record["hash"]:
            raise Broken(self.seq + 1, "hash")
        if record["hash_prev"] != self.hash:
            raise Broken(self.seq + 1, "chain")
        if record["seq"] != self.seq + 1:
            raise Broken(self.seq + 1, "sequence")
        if kind != "start" and record["seq"] == 1:
            raise Broken(1, "start")
        if kind != "start" and record["t"] < self.t:
            raise Broken(self.seq + 1, "time")
        self.seq, self.hash, self.t = record["seq"], record["hash"], record["t"]
        return record

    def _unfold(self, fold):
        if not has_fields(fold, FOLD):
            raise Broken(self.seq + 1, "schema")
        if fold["hash_prev"] != self.hash:
            raise Broken(self.seq + 1, "chain")
        if fold["seq"] != self.seq + 1:
            raise Broken(self.seq + 1, "sequence")
        following, bodies, newest, t = {"in": fold["in"], "out": fold["out"]}, {}, None, fold["t"]
        for short in fold["frames"]:
            number, direction = short["m"], FOLDS.get(short["m"])
            rest = short.get("b", bodies.get(number))
            echo = short.get("e", newest)
            t += short["d"]
            if direction is None or rest is None or (echo is None if number == RENEW else "e" in short):
                raise Broken(self.seq + 1, "schema")
            n = following[direction]
            record = {
                "kind": "frame",
                "conn": fold["conn"],
                "dir": direction,
                "n": n,
                "number": number,
                "mid": 0,
                "body": {**rest, "echo": echo} if number == RENEW else rest,
                "size": short.get("z", 512),
                "wire": b64(short["w"]).hex(),
                "seq": self.seq + 1,
                "t": t,
                "hash_prev": self.hash,
            }
            if "s" in short:
                record["sig"] = short["s"]
            record["hash"] = record_hash(record)
            bodies[number], following[direction] = rest, n + 1
            newest = n if direction == "out" else newest
            yield self.take(record)
        if self.hash != fold["hash"]:
            raise Broken(self.seq, "hash")


def segments_of(folder):
    """(files to read in order, summaries of removed segments)."""
    closed = {}
    for name in os.listdir(folder):
        match = re.fullmatch(r"journal-(\d{16})\.(jsonl|folded\.jsonl|folded\.jsonl\.gz|steps\.jsonl)", name)
        if match:
            closed.setdefault(int(match[1]), {})[match[2]] = os.path.join(folder, name)
    active = os.path.join(folder, "journal.jsonl")
    files, removed = [], []
    for _, forms in sorted(closed.items()):
        path = forms.get("folded.jsonl") or forms.get("folded.jsonl.gz") or forms.get("jsonl")
        if path == forms.get("jsonl") and path and os.path.exists(active) and os.path.samefile(path, active):
            continue
        if path:
            files.append(path)
        elif files:
            raise Broken(0, "missing")
        else:
            with open(forms["steps.jsonl"], encoding="utf-8") as steps:
                removed.append(json.loads(steps.readline()))
    return (files + [active] if os.path.exists(active) else files), removed


def read_records(files, removed):
    chain = Chain(removed[-1]["last"], removed[-1]["hash"], removed[-1]["to"]) if removed else Chain()
    for path in files:
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as journal:
            rest = b""
            for line in journal:
                if line.endswith(b"\n"):
                    yield from chain.line(line[:-1])
                else:
                    rest = line
        if len(rest) > LONGEST_LINE + 1:
            raise Broken(chain.seq + 1, "canonical")
        if rest and rest[-1] != 0:
            try:
                Chain(chain.seq, chain.hash, chain.t).take(parse_line(rest[:-1]))
            except Broken:
                continue
            raise Broken(chain.seq + 1, "canonical")


# ------------------------------------------------------------------------------------------------------ budgets, state

MINUTE, DEPTH, READER, CREDIT = 60_000, 16_384, 49_152, 49_152


class Bucket:
    def __init__(self, at, depth=DEPTH):
        self.at, self.depth, self.tokens = at, depth, depth * MINUTE

    def refill(self, now):
        gained = min(max(0, now - self.at), MINUTE * -(-self.depth // DEPTH)) * DEPTH
        self.tokens = max(self.tokens, min(self.depth * MINUTE, self.tokens + gained))
        self.at = now

    def pay(self, now, size, transition):
        """False for a breach."""
        self.refill(now)
        left = self.tokens + (DEPTH * MINUTE if transition else 0) - size * MINUTE
        self.tokens = max(0, min(left, (self.depth + CREDIT) * MINUTE))
        return left >= 0


class LinkState:
    """What a checkpoint has to say."""

    def __init__(self):
        self.owner, self.opened, self.received, self.queued, self.acknowledged = {}, 0, 0, 0, 0
        self.waiting, self.bucket = [], Bucket(0)

    def take(self, record, transitions):
        kind = record["kind"]
        if kind in ("start", "checkpoint"):
            self.owner = {name: record[name] for name in ("role", "party", "org", "link", "seed") if name in record}
        if kind == "start":
            if record["seq"] == 1:
                self.bucket = Bucket(record["t"])
            self.bucket.refill(record["t"])
        elif kind == "checkpoint":
            self.opened, self.received, self.queued = record["opened"], record["received"], record["queued"]
            self.acknowledged, self.waiting = record["acknowledged"], list(record["unacknowledged"])
            self.bucket.tokens, self.bucket.at = record["budget"]["tokens"], record["budget"]["at"]
        elif kind == "open":
            self.opened += 1
            self.bucket.pay(record["t"], len(b64(record["frame"])), False)
        elif kind in ("fact", "queue"):
            self.received = max(self.received, record.get("of", 0))
            for message in record.get("queue", []):
                self.queued = message["mid"]
                self.waiting.append(message)
        elif kind == "frame" and record["dir"] == "out":
            self.bucket.pay(record["t"], record["size"], record["number"] in transitions)
            name = {0x0103: "mid", 0x0101: "received"}.get(record["number"])
            self.received = max(self.received, number_in(record["body"], name)) if name else self.received
        elif kind == "frame":
            name = {0x0205: "mid", 0x0201: "received"}.get(record["number"])
            mid = number_in(record["body"], name) if name else 0
            if mid > self.acknowledged:
                self.acknowledged = mid
                self.waiting = [message for message in self.waiting if message["mid"] > mid]

    def checkpoint(self):
        return {
            **self.owner,
            "opened": self.opened,
            "received": self.received,
            "queued": self.queued,
            "acknowledged": self.acknowledged,
            "unacknowledged": self.waiting,
            "budget": {"tokens": self.bucket.tokens, "at": self.bucket.at},
        }


def number_in(value, name):
    number = value.get(name)
    return number if is_whole(number) else 0


# --------------------------------------------------------------------------------------------------------- connections

SIZES = (512, 2048, 8192)
HEAD, INNER, SIGNATURE, TAG = 12, 46, 64, 16
OPEN_SHARE, ACCEPT_SHARE = 32 + 1184, 32 + 1088
JOURNAL_POINT = {"seq": is_whole, "hash": hex64}
NONCE = r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
ENVELOPE = {
    "payloadType": lambda v: is_text(v, r"application/vnd\.ringfence\.[a-z-]{1,32}\.v1\+json"),
    "payload": lambda v: is_b64(v) and len(v) <= 12_288,
    "signatures": lambda v: isinstance(v, list)
    and 1 <= len(v) <= 8
    and all(has_fields(s, {"keyid": lambda k: is_text(k, r"[0-9a-f]{32}"), "sig": lambda x: is_b64(x, 88)}) for s in v),
}
OPEN_HEAD = {
    "v": one_of(1),
    "nonce": lambda v: is_text(v, NONCE),
    "party": an_id("agt", "cus"),
    "controlPlane": an_id("ctl"),
}
ACCEPT_HEAD = {
    "v": one_of(1),
    "nonce": lambda v: is_text(v, NONCE),
    "keys": lambda v: has_fields(v, ENVELOPE),
    "last": lambda v: v is None or has_fields(v, JOURNAL_POINT),
}
KEYS = {
    "v": one_of(1),
    "controlPlane": an_id("ctl"),
    "root": lambda v: is_text(v, NONCE),
    "frames": lambda v: is_text(v, NONCE),
    "leases": lambda v: is_text(v, NONCE),
    "at": lambda v: is_whole(v, 0, MOMENT),
    "notAfter": lambda v: is_whole(v, 0, MOMENT),
}
KEYS_TYPE = "application/vnd.ringfence.control-plane-keys.v1+json"


def read_handshake(frame, kind, size, share, tail, fields):
    """(head, end of share) of a plain frame; raises Bad."""
    if len(frame) != size:
        raise Bad("size")
    if frame[0] != 1:
        raise Bad("version")
    if frame[1] != kind:
        raise Bad("kind")
    end = 4 + int.from_bytes(frame[2:4], "big")
    if end + share + tail > size:
        raise Bad("length")
    head = parse_canonical(frame[4:end])
    if head is None:
        raise Bad("head")
    if any(frame[end + share + tail :]):
        raise Bad("padding")
    if not has_fields(head, fields):
        raise Bad("head")
    return head, end + share


class Direction:
    """Seals again what a direction of a connection recorded, and keeps what its reader would expect next."""

    def __init__(self, keys, transcript, public):
        self.gcm, self.iv, self.public, self.transcript = AesGcm(keys[:32]), keys[32:], public, transcript
        self.sent = self.read = 0
        self.chain = self.read_chain = transcript

    def seal(self, message, record, signature):
        text = canonical(record["body"])
        inner = bytearray(INNER)
        inner[0:2] = record["number"].to_bytes(2, "big")
        inner[2] = 1 if message.signed else 0
        inner[4:12] = record["mid"].to_bytes(8, "big")
        inner[12:44] = self.chain
        if len(text) > 0xFFFF:
            raise Bad("schema")
        inner[44:46] = len(text).to_bytes(2, "big")
        unsigned = bytes(inner) + text
        whole = unsigned + signature
        fitting = [size for size in SIZES if len(whole) <= size - HEAD - TAG]
        if not fitting:
            raise Bad("schema")
        size, number = fitting[0], self.sent
        head = bytes([1, SIZES.index(size), 0, 0]) + number.to_bytes(8, "big")
        nonce = (int.from_bytes(self.iv, "big") ^ number).to_bytes(12, "big")
        sealed = head + self.gcm.seal(nonce, head, whole + bytes(size - HEAD - TAG - len(whole)))
        used = self.chain
        self.chain = hashlib.sha256(b"ringfence/frame/v1" + number.to_bytes(8, "big") + whole).digest()
        self.sent += 1
        return sealed, unsigned, used

    def signed_bytes(self, direction, number, unsigned):
        return self.transcript + bytes([0 if direction == "out" else 1]) + number.to_bytes(8, "big") + unsigned


class Connection:
    def __init__(self, record):
        self.name, self.open, self.closed, self.last = record["conn"], b64(record["frame"]), False, None
        self.bucket, self.following = Bucket(record["t"], READER), None
        self.outgoing, self.incoming, self.directions = [len(self.open)], 0, None

    def check_open(self, owner, keys):
        head, _ = read_handshake(self.open, 1, 2048, OPEN_SHARE, 0, OPEN_HEAD)
        if head["controlPlane"] != keys["controlPlane"] or head["party"] != owner["party"]:
            raise Bad("recipient")

    def accept(self, record, keys, session):
        frame = b64(record["frame"])
        self.incoming += len(frame)
        head, end = read_handshake(frame, 2, 8192, ACCEPT_SHARE, SIGNATURE, ACCEPT_HEAD)
        root = parse_key(keys["root"])
        if root is None:
            raise Bad("keys")
        speaks = open_envelope(head["keys"], KEYS_TYPE, root)
        if not has_fields(speaks, KEYS):
            raise Bad("keys")
        if speaks["controlPlane"] != keys["controlPlane"]:
            raise Bad("recipient")
        if speaks["root"] != keys["root"] or not speaks["at"] - 300_000 <= record["t"] < speaks["notAfter"]:
            raise Bad("keys")
        frames = parse_key(speaks["frames"])
        digest = hashlib.sha256(self.open + frame[:end]).digest()
        if frames is None or not verify_domain(frames, "ringfence/handshake/v1", digest, frame[end : end + SIGNATURE]):
            raise Bad("handshake-signature")
        self.last = head["last"]
        transcript = hashlib.sha256(self.open + frame).digest()
        if transcript.hex() != record["transcript"]:
            raise Bad("handshake-signature")
        if session is None:
            raise Bad("no-session-keys")
        self.directions = {
            "out": Direction(session["party"], transcript, parse_key(keys["party"])),
            "in": Direction(session["control-plane"], transcript, frames),
        }

    def frame(self, record, messages, role):
        """Seals the frame again and reads it; (message, bytes that are signed or None)."""
        direction, size = record["dir"], record["size"]
        if direction == "in":
            self.incoming += size
        else:
            self.outgoing.append(size)
        if self.directions is None:
            raise Bad("no-session-keys")
        way, message = self.directions[direction], messages.get(record["number"])
        if message is None:
            raise Bad("unknown")
        if message.signed != ("sig" in record):
            raise Bad("signature-missing" if message.signed else "signature-unexpected")
        if record["n"] != way.sent:
            raise Bad("sequence")
        if not message.fits(record["body"]):
            raise Bad("schema")
        signature, number = b64(record.get("sig", "")), way.sent
        sealed, unsigned, used = way.seal(message, record, signature)
        if len(sealed) != size or hashlib.sha256(sealed).hexdigest() != record["wire"]:
            raise Bad("wire")
        if number != way.read:
            raise Bad("sequence")
        if used != way.read_chain:
            raise Bad("chain")
        if not message.may_cross(direction, role):
            raise Bad("sender")
        if message.durable != (record["mid"] > 0):
            raise Bad("message-id")
        if direction == "out":
            in_order = (message.name == "hello") == (number == 0)
        else:
            in_order = message.name in ("welcome", "goodbye") if number == 0 else message.name != "welcome"
        if not in_order:
            raise Bad("order")
        signed = way.signed_bytes(direction, number, unsigned) if message.signed else None
        if signed is not None and not verify_domain(way.public, "ringfence/frame/v1", signed, signature):
            raise Bad("signature")
        way.read, way.read_chain = number + 1, way.chain
        return message, signed

    def disconnect(self, record):
        self.closed = True
        total, beginnings = 0, {0}
        for size in self.outgoing:
            total += size
            beginnings.add(total)
        if record["in"] != self.incoming or record["out"] not in beginnings:
            raise Bad("bytes")


# ------------------------------------------------------------------------------------------------------ what could be said

HASH_BITS, SIGNATURE_BITS, OPEN_BITS, HOLD = 48, 252, 8 * (32 + 1216), 60_000
FIXED = re.compile(r"attempts(\.length|\[\]\.(job|attempt))")


class Smuggling:
    def __init__(self, role, messages):
        self.choices = math.log2(sum(m.sender in ("party", role) for m in messages.values()))
        self.leased, self.live, self.shown, self.caused = set(), set(), {}, {}
        self.offer, self.arrived, self.acknowledged = None, 0, 0
        self.job_attempts, self.agent_attempts, self.job_minutes, self.agent_minutes = {}, {}, {}, []
        self.per_connection = self.open_bits = self.connections = self.seeds = self.once = 0
        self.offered = False

    def came(self, mid, run=None):
        self.arrived = max(self.arrived, mid)
        if run is not None:
            self.caused[mid] = run

    def opened(self, derived):
        self.open_bits = 0 if derived else OPEN_BITS
        self.connections += self.open_bits
        self.per_connection = max(self.per_connection, self.open_bits)

    def sent(self, message, body, t, again, signature_fixed):
        everything = self.choices + (0 if signature_fixed else SIGNATURE_BITS)
        job = 0
        if not again:
            content, job = self._content(message, body, t)
            everything += content
        run = run_of(body) if message.name in ("attempt-status", "committed") else None
        if message.name == "attempt-status":
            self.job_attempts[run] = self.job_attempts.get(run, 0) + job
            self.agent_attempts[run] = self.agent_attempts.get(run, 0) + everything
            if body["state"] in ("stopped", "refused"):
                self.live.discard(run)
        elif message.name == "hello":
            self.connections += everything
            self.per_connection = max(self.per_connection, self.open_bits + everything)
        elif message.name == "ack" and body["mid"] in self.caused:
            run = self.caused[body["mid"]]
            self.agent_attempts[run] = self.agent_attempts.get(run, 0) + everything
        elif message.name == "offer" and not self.offered:
            self.offered, self.once = True, everything
        else:
            self.agent_minutes.append((t, everything))
        if message.name == "heartbeat" and job:
            for beat in body["attempts"]:
                if self.shown[run_of(beat)][1] == t:
                    self.job_minutes.setdefault(run_of(beat), []).append((t, 12.0))

    def _content(self, message, body, t):
        name, bits, job = message.name, 0.0, 0.0
        held = {}
        repeated = {**self.offer, "epoch": self.offer["epoch"] + 1} if self.offer else None
        if name == "heartbeat":
            for index, beat in enumerate(body["attempts"]):
                before = self.shown.get(run_of(beat))
                same = before is not None and before[0] == (beat["memory"], beat["cpu"]) and t - before[1] < HOLD
                held[index] = same
            named = all(run_of(beat) in self.leased for beat in body["attempts"])
        for path, count in message.bits(body):
            field = re.sub(r"\[\d+\]", "[]", path)
            if name in ("hello", "ack"):
                continue
            if name == "heartbeat" and named and FIXED.fullmatch(field):
                continue
            if name == "attempt-status" and field in ("job", "attempt") and run_of(body) in self.leased:
                continue
            if name == "offer" and (body == repeated or self._offered(field, body)):
                continue
            by_job = (name == "heartbeat" and field in ("attempts[].memory", "attempts[].cpu")) or (
                name == "attempt-status" and field in ("state", "outcome")
            )
            if name == "heartbeat" and by_job and held[int(re.search(r"\d+", path)[0])]:
                continue
            bits += count
            job += count if by_job else 0
        if name == "offer":
            self.offer = body
            bits += 1
        if name == "heartbeat":
            for index, beat in enumerate(body["attempts"]):
                if not held[index]:
                    self.shown[run_of(beat)] = ((beat["memory"], beat["cpu"]), t)
            bits += math.log2(arrangements(len(self.live)))
        if name == "hello":
            bits += HASH_BITS + math.log2(self.arrived + 1)
        if name == "ack":
            bits += HASH_BITS + math.log2(max(0, self.arrived - self.acknowledged) + 1)
            self.acknowledged = max(self.acknowledged, body["mid"])
        return bits, job

    def _offered(self, field, body):
        before = self.offer or {}
        if field in ("offer", "site"):
            return before.get(field) == body[field]
        return field == "epoch" and body["epoch"] == before.get("epoch", 0) + 1

    def result(self):
        most = lambda values: math.ceil(max([0, *values]))
        total = lambda groups: sum(bits for group in groups for _, bits in group)
        return {
            "job": {
                "perAttempt": most(self.job_attempts.values()),
                "perMinute": most(worst_minute(group) for group in self.job_minutes.values()),
                "total": math.ceil(sum(self.job_attempts.values()) + total(self.job_minutes.values())),
            },
            "agent": {
                "perAttempt": most(self.agent_attempts.values()),
                "perMinute": math.ceil(worst_minute(self.agent_minutes)),
                "perConnection": math.ceil(self.per_connection),
                "once": math.ceil(self.once + self.seeds * HASH_BITS),
                "total": math.ceil(
                    sum(self.agent_attempts.values())
                    + total([self.agent_minutes])
                    + self.connections
                    + self.once
                    + self.seeds * HASH_BITS
                ),
            },
        }


def run_of(value):
    return (value["job"], value["attempt"])


def arrangements(count):
    total = product = 1
    for taken in range(count):
        product *= count - taken
        total += product
    return total


def worst_minute(amounts):
    amounts, worst, held, first = sorted(amounts, key=lambda pair: pair[0]), 0.0, 0.0, 0
    for at, amount in amounts:
        held += amount
        while amounts[first][0] <= at - 60_000:
            held -= amounts[first][1]
            first += 1
        worst = max(worst, held)
    return worst


# -------------------------------------------------------------------------------------------------------- verification

LEASE = {
    "v": one_of(1),
    "org": an_id("org"),
    "job": an_id("job"),
    "attempt": lambda v: is_whole(v, 1, 1_000_000),
    "agent": an_id("agt"),
    "controlPlane": an_id("ctl"),
    "jobDigest": hex64,
    "receiptDigest": hex64,
    "term": lambda v: is_whole(v, 1, 1_000_000_000),
    "ttlMs": lambda v: is_whole(v, 1_000, 600_000),
    "at": lambda v: is_whole(v, 0, MOMENT),
    "notAfter": lambda v: is_whole(v, 0, MOMENT),
}


class Verification:
    """Everything that docs/protocol/control-link.md, "Verification", asks for."""

    def __init__(self, messages, keys, sessions, removed=(), party_seed=None, handshake_seed=None):
        self.messages, self.keys, self.sessions, self.removed = messages, keys, sessions, set(removed)
        self.party_seed, self.handshake_seed = party_seed, handshake_seed
        self.transitions = {number for number, message in messages.items() if message.transition}
        self.problems, self.hashes, self.first, self.state = [], [], 1, LinkState()
        self.connections, self.sockets, self.carried, self.stored = {}, {}, set(), {}
        self.owner, self.count, self.bucket = None, None, Bucket(0)
        self.arrived = self.newest_stored = self.newest_sent = self.forgotten = self.opened = self.frames = 0
        self.commitment, self.signatures_fixed, self.handshakes_fixed = None, True, True

    def take(self, record):
        self.now = record
        try:
            getattr(self, "_" + record["kind"])(record)
        except Bad as bad:
            self._problem(bad.code)
        self.state.take(record, self.transitions)
        if not self.hashes:
            self.first = record["seq"]
        self.hashes.append(record["hash"])

    def finish(self):
        for name in self.sessions:
            if name not in self.connections and name not in self.removed:
                self.problems.append((self.first + len(self.hashes) - 1, "no-connection"))

    def _problem(self, code):
        self.problems.append((self.now["seq"], code))

    def _belongs(self, record):
        owner = {name: record[name] for name in ("role", "party", "org", "link")}
        if owner["link"] != self.keys["controlPlane"]:
            self._problem("recipient")
        if self.owner is not None and owner != self.owner:
            self._problem("recipient")
        self.owner = self.owner or owner
        self.count = self.count or Smuggling(owner["role"], self.messages)
        if record.get("seed") not in (None, self.commitment):
            self.count.seeds += 1
        self.commitment = record.get("seed")

    def _start(self, record):
        self._belongs(record)
        if record["seq"] == 1:
            self.bucket = Bucket(record["t"])
        self.bucket.refill(record["t"])

    def _checkpoint(self, record):
        self._belongs(record)
        signed = {name: value for name, value in record.items() if name not in ("hash", "t", "sig")}
        party = parse_key(self.keys["party"])
        if not verify_domain(party, "ringfence/journal/v1", b"checkpoint " + canonical(signed), b64(record["sig"])):
            self._problem("checkpoint")
        if self.hashes:
            said = {name: value for name, value in signed.items() if name not in ("kind", "seq", "hash_prev")}
            if said != self.state.checkpoint():
                self._problem("checkpoint")
            return
        self.stored = {message["mid"]: message for message in record["unacknowledged"]}
        self.bucket.tokens, self.bucket.at = record["budget"]["tokens"], record["budget"]["at"]
        self.arrived, self.newest_stored = record["received"], record["queued"]
        self.newest_sent = self.forgotten = record["acknowledged"]
        self.opened = record["opened"]
        self.count.came(self.arrived)

    def _queue(self, record):
        for message in record.get("queue", []):
            self.stored[message["mid"]] = message
            self.newest_stored = max(self.newest_stored, message["mid"])

    _fact = _queue

    def _dial(self, record):
        self.sockets[record["seq"]] = "open"

    def _hangup(self, record):
        state = self.sockets.get(record["dial"])
        if state == "closed" or (state is None and record["dial"] >= self.first):
            raise Bad("socket")
        self.sockets[record["dial"]] = "closed"

    def _open(self, record):
        if record["conn"] in self.connections:
            self._problem("connection")
        connection = self.connections[record["conn"]] = Connection(record)
        if "dial" in record:
            if self.sockets.get(record["dial"]) != "open" or record["dial"] in self.carried:
                self._problem("socket")
            self.carried.add(record["dial"])
        if not self.bucket.pay(record["t"], len(connection.open), False):
            self._problem("budget")
        derived = self._derived(connection)
        self.opened += 1
        self.handshakes_fixed = self.handshakes_fixed and derived is True
        self.count.opened(derived is True)
        if derived is False:
            self._problem("handshake-seed")
        connection.check_open(self.owner, self.keys)

    def _derived(self, connection):
        """Whether the seed gives this open frame; None when there is no seed to try."""
        seed = self.handshake_seed
        if seed is None or hashlib.sha256(b"ringfence/handshake-seed/v1" + seed).hexdigest() != self.commitment:
            return None
        prefix = b"ringfence/handshake-stream/v1" + self.opened.to_bytes(8, "big")
        stream = b"".join(hmac.new(seed, prefix + n.to_bytes(8, "big"), "sha256").digest() for n in range(4))
        nonce = base64.urlsafe_b64encode(stream[96:]).rstrip(b"=").decode()
        head = {"v": 1, "nonce": nonce, "party": self.owner["party"], "controlPlane": self.keys["controlPlane"]}
        text = canonical(head)
        share = x25519_public(stream[:32]) + ml_kem_768_public(stream[32:96])
        made = bytes([1, 1]) + len(text).to_bytes(2, "big") + text + share
        return connection.open == made + bytes(2048 - len(made))

    def _connection(self, record):
        connection = self.connections.get(record["conn"])
        if connection is None or connection.closed:
            raise Bad("connection")
        return connection

    def _accept(self, record):
        connection = self._connection(record)
        if not connection.bucket.pay(record["t"], 8192, False):
            self._problem("budget")
        connection.accept(record, self.keys, self.sessions.get(record["conn"]))

    def _refused(self, record):
        self._connection(record).incoming += record["size"]

    def _disconnect(self, record):
        self._connection(record).disconnect(record)

    def _frame(self, record):
        connection = self._connection(record)
        message, signed = connection.frame(record, self.messages, self.owner["role"])
        self.frames += 1
        bucket = connection.bucket if record["dir"] == "in" else self.bucket
        if not bucket.pay(record["t"], record["size"], message.transition):
            self._problem("budget")
        (self._came_in if record["dir"] == "in" else self._went_out)(record, message, connection, signed)

    def _came_in(self, record, message, connection, _):
        said, mid = record["body"], record["mid"]
        if message.name == "welcome":
            connection.following = said["received"] + 1
        if message.name in ("welcome", "control-ack"):
            if said["received" if message.name == "welcome" else "mid"] > self.newest_stored:
                raise Bad("message-gap")
            return
        if mid == 0:
            return
        if mid > self.arrived + 1:
            raise Bad("message-gap")
        self.arrived = max(self.arrived, mid)
        run = run_of(said) if message.name == "stop" else None
        if message.name == "lease":
            lease = json_or_none(b64(said["lease"]["payload"]))
            if has_fields(lease, LEASE):
                run = run_of(lease)
                self.count.leased.add(run)
                self.count.live.add(run)
        self.count.came(mid, run)

    def _went_out(self, record, message, connection, signed):
        said, mid = record["body"], record["mid"]
        again = 0 < mid <= self.newest_sent
        self.newest_sent = max(self.newest_sent, mid)
        fixed, other = signed is None, False
        if signed is not None and self.party_seed is not None:
            made = ed25519_sign(self.party_seed, b"ringfence/frame/v1\0" + signed)
            fixed, other = made == b64(record["sig"]), made != b64(record["sig"])
        self.signatures_fixed = self.signatures_fixed and fixed
        self.count.sent(message, said, record["t"], again, fixed)
        if other:
            raise Bad("signature")
        if message.name == "hello":
            return self._hello(said, connection)
        if message.name == "ack":
            if "journal" not in said or not self._own_point(said["journal"]):
                raise Bad("journal-point")
            if said["mid"] > self.arrived:
                raise Bad("message-gap")
        if mid == 0:
            return
        if mid != connection.following:
            raise Bad("message-gap")
        connection.following = mid + 1
        if mid <= self.forgotten:
            return
        if self.stored.get(mid) != {"mid": mid, "number": record["number"], "body": said}:
            raise Bad("not-queued")

    def _hello(self, said, connection):
        if any(said[name] != self.owner[name] for name in ("role", "party", "org")):
            raise Bad("recipient")
        if said["versions"] != {"min": 1, "max": 1}:
            raise Bad("version")
        if not self._own_point(said["journal"]):
            raise Bad("journal-point")
        last = connection.last
        if last is not None and 0 < last["seq"] < self.first:
            return
        known = None if last is None else self._hash_at(last["seq"])
        if said["resume"] != (None if known is None else {"seq": last["seq"], "hash": known}):
            raise Bad("journal-point")

    def _own_point(self, point):
        return 0 < point["seq"] < self.first or self._hash_at(point["seq"]) == point["hash"]

    def _hash_at(self, seq):
        if seq == 0:
            return "0" * 64
        index = seq - self.first
        return self.hashes[index] if 0 <= index < len(self.hashes) else None


def json_or_none(data):
    try:
        return json.loads(data.decode("utf-8"))
    except ValueError:
        return None


def read_sessions(path):
    sessions = {}
    if not os.path.exists(path):
        return sessions
    key = lambda v: is_text(v, r"[0-9a-f]{88}")
    with open(path, "rb") as lines:
        for line in lines:
            row = json_or_none(line)
            if has_fields(row, {"conn": conn, "party": key, "control-plane": key}):
                sessions[row["conn"]] = {way: bytes.fromhex(row[way]) for way in ("party", "control-plane")}
    return sessions


class Sessions(dict):
    """The keys by connection; the party may add some meanwhile, which are looked for again but are not its names."""

    def __init__(self, path):
        super().__init__(read_sessions(path))
        self.path, self.later, self.size = path, {}, -1

    def get(self, name, default=None):
        if name not in self and name not in self.later:
            size = os.path.getsize(self.path) if os.path.exists(self.path) else 0
            if size != self.size:
                self.later, self.size = read_sessions(self.path), size
        return super().get(name, self.later.get(name, default))


def verify_folder(folder, messages, party_seed=None, progress=None):
    """The report on one link's folder."""
    with open(os.path.join(folder, "link-keys.json"), encoding="utf-8") as text:
        keys = json.load(text)
    seed = None
    try:
        with open(os.path.join(folder, "handshake-seed"), encoding="ascii") as text:
            seed = base64.urlsafe_b64decode(text.read().strip() + "=")
    except (OSError, ValueError, binascii.Error):
        pass
    files, removed = segments_of(folder)
    verification = Verification(
        messages,
        keys,
        Sessions(os.path.join(folder, "sessions.jsonl")),
        [name for summary in removed for name in summary["conns"]],
        party_seed,
        seed if seed is not None and len(seed) == 32 else None,
    )
    broken = None
    try:
        for record in read_records(files, removed):
            verification.take(record)
            if progress and record["seq"] % 500 == 0:
                progress(record["seq"])
        verification.finish()
    except Broken as error:
        broken = {"seq": error.seq, "code": error.code}
    count = verification.count
    return {
        "folder": folder,
        "ok": broken is None and not verification.problems,
        "broken": broken,
        "problems": [{"seq": seq, "code": code} for seq, code in verification.problems],
        "from": verification.first,
        "records": verification.first + len(verification.hashes) - 1,
        "head": verification.hashes[-1] if verification.hashes else "0" * 64,
        "connections": len(verification.connections),
        "frames": verification.frames,
        "signaturesFixed": verification.signatures_fixed,
        "handshakesFixed": verification.handshakes_fixed,
        "smuggling": count.result() if count else None,
        "root": keys["root"],
    }


def link_folders(state):
    for folder, below, names in os.walk(state):
        if folder[len(state) :].count(os.sep) >= 4:
            below.clear()
        if "journal.jsonl" in names:
            yield folder


def show(report):
    say = print
    say(f"{report['folder']}: {'verified' if report['ok'] else 'NOT VERIFIED'}")
    if report["from"] > 1:
        say(f"  records before {report['from']} were removed: checked from the checkpoint there")
    say(f"  {report['records']} records, {report['connections']} connections, {report['frames']} frames sealed again")
    say(f"  last record {report['records']}, head {report['head']}")
    say(f"  control plane's root as pinned: {report['root']}")
    if report["broken"]:
        say("  the chain is broken at record {seq} ({code})".format(**report["broken"]))
    for problem in report["problems"][:10]:
        say("  problem at record {seq}: {code}".format(**problem))
    if len(report["problems"]) > 10:
        say(f"  and {len(report['problems']) - 10} more")
    for who, bits in (report["smuggling"] or {}).items():
        more = f", {bits['perConnection']} a connection, {bits['once']} once" if "perConnection" in bits else ""
        say(f"  at most smuggled by a hostile {who}: {bits['perAttempt']} bits an attempt, {bits['perMinute']} a minute{more}")
    if not report["signaturesFixed"]:
        say("  signatures were not made again (--party-seed): 252 bits each are in these figures")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description="verifies the journals of control links, from the specification alone")
    parser.add_argument("--state", required=True, help="state folder of an agent or a custodian, or one link's folder")
    parser.add_argument("--messages", default=os.path.join(here, "..", "docs", "protocol", "messages.md"))
    parser.add_argument("--party-seed", help="the party's frame key, 32 bytes in hex: signatures are made again")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quiet", action="store_true", help="shows no progress")
    options = parser.parse_args()
    shown = not options.quiet and sys.stderr.isatty()
    progress = (lambda seq: print(f"\r{seq} records", end="", file=sys.stderr)) if shown else None
    seed = bytes.fromhex(options.party_seed) if options.party_seed else None
    try:
        messages = read_messages(options.messages)
        reports = [verify_folder(folder, messages, seed, progress) for folder in link_folders(options.state)]
    except (OSError, ValueError, KeyError) as error:
        print(f"wire_verify: {error}", file=sys.stderr)
        return 2
    if not reports:
        print(f"wire_verify: {options.state} holds no journal", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"ok": all(report["ok"] for report in reports), "links": reports}))
    else:
        for report in reports:
            show(report)
    return 0 if all(report["ok"] for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
