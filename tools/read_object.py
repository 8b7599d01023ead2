#!/usr/bin/env python3
"""Opens a sealed object with the keys above it. Written from docs/object-format.md alone; Python's standard library and wire_verify.py beside it.

    read_object.py KEYS.json OBJECT > PLAINTEXT

KEYS.json: {"identity": {"org", "project", "object", "version"}, and one of
  "dataKey": HEX
  "wrapped": {"kek", "version", "box"}, "kekKey": HEX                                        the key that wrapped it
  "wrapped": …, "projectKey": {"kek", "version", "box"}, "organisationKey": HEX              both keys above it}
"""
import base64
import hashlib
import hmac
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import wire_verify  # noqa: E402

LARGEST = 2**31


class Refused(Exception):
    """The one error: which check failed would help only an attacker."""


def gcm_open(key, nonce, aad, sealed):
    if len(sealed) < 16:
        raise Refused
    aes = wire_verify.AesGcm(key)
    # Counter mode: sealing what was sealed gives what it was; the tag is that of sealing it again.
    plain = aes.seal(nonce, aad, sealed[:-16])[:-16]
    if not hmac.compare_digest(aes.seal(nonce, aad, plain), sealed):
        raise Refused
    return plain


def aes_block(aes, block):
    return aes._block(*(int.from_bytes(block[at : at + 4], "big") for at in (0, 4, 8, 12)))


def xaes_open(key, aad, sealed):
    """XAES-256-GCM (C2SP): nonce (24) ‖ ciphertext ‖ tag."""
    if len(sealed) < 40:
        raise Refused
    aes = wire_verify.AesGcm(key)
    first = int.from_bytes(aes_block(aes, bytes(16)), "big")
    subkey = (first << 1 & (1 << 128) - 1) ^ (0x87 if first >> 127 else 0)
    derived = b""
    for number in (1, 2):
        block = bytes([0, number]) + b"X\0" + sealed[:12]
        derived += aes_block(aes, (int.from_bytes(block, "big") ^ subkey).to_bytes(16, "big"))
    return gcm_open(derived, sealed[12:24], aad, sealed[24:])


def unwrap(kek, wrapped, identity):
    """The 32 bytes that `wrapped` has, under the key `kek`."""
    bound = dict(identity, kek=wrapped["kek"], kekVersion=wrapped["version"])
    box = base64.urlsafe_b64decode(wrapped["box"] + "=" * (-len(wrapped["box"]) % 4))
    key = xaes_open(kek, wire_verify.canonical(bound), box)
    if len(key) != 32:
        raise Refused
    return key


def data_key(keys):
    identity = keys["identity"]
    if "dataKey" in keys:
        return bytes.fromhex(keys["dataKey"])
    if "kekKey" in keys:
        return unwrap(bytes.fromhex(keys["kekKey"]), keys["wrapped"], identity)
    above = keys["projectKey"]
    # A project's key is wrapped as the object `project-kek`, whose version is that of the data key's KEK.
    place = dict(identity, object="project-kek", version=keys["wrapped"]["version"])
    return unwrap(unwrap(bytes.fromhex(keys["organisationKey"]), above, place), keys["wrapped"], identity)


def open_object(key, identity, sealed):
    header, rest = sealed[:40], sealed[40:]
    if len(header) < 40 or header[:5] != b"RFO1\x01" or not 12 <= header[5] <= 24 or header[6:8] != b"\0\0":
        raise Refused
    prk = hmac.new(header[8:], key, hashlib.sha256).digest()
    derived = hmac.new(prk, b"ringfence/object/v1\x01", hashlib.sha256).digest()
    aad = hashlib.sha256(wire_verify.canonical(identity)).digest() + header
    full = (1 << header[5]) + 16
    segments = [rest[at : at + full] for at in range(0, len(rest), full)]
    if not segments or (len(segments) > 1 and len(segments[-1]) <= 16):
        raise Refused
    plain = b""
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        nonce = bytes(7) + number.to_bytes(4, "big") + bytes([last])
        plain += gcm_open(derived, nonce, aad, segment)
    return plain


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        keys = json.load(file)
    with open(sys.argv[2], "rb") as file:
        sealed = file.read(LARGEST)
    try:
        plain = open_object(data_key(keys), keys["identity"], sealed)
    except Refused:
        sys.exit("the object does not open with these keys for this identity")
    sys.stdout.buffer.write(plain)


if __name__ == "__main__":
    main()
