"""Prints what the Python verifier's primitives give for fixed inputs, for Node to compare."""
import hashlib
import json
import sys

sys.path.insert(0, sys.argv[1])
import wire_verify as verifier  # noqa: E402

found = []
for n in range(4):
    seed = hashlib.sha512(b"seed %d" % n).digest()
    message = seed * n
    signature = verifier.ed25519_sign(seed[:32], message)
    public = verifier.ed25519_public(seed[:32])
    assert verifier.ed25519_verify(public, message, signature)
    assert not verifier.ed25519_verify(public, message + b"x", signature)
    found.append({"what": "ed25519", "seed": seed[:32].hex(), "message": message.hex(), "signature": signature.hex()})
    found.append({"what": "x25519", "seed": seed[:32].hex(), "public": verifier.x25519_public(seed[:32]).hex()})
    found.append({"what": "ml-kem-768", "seed": seed.hex(), "public": verifier.ml_kem_768_public(seed).hex()})
    aad, plain = seed[: 5 * n], seed * n + seed[:7]
    sealed = verifier.AesGcm(seed[:32]).seal(seed[32:44], aad, plain)
    found.append(
        {"what": "gcm", "key": seed[:32].hex(), "nonce": seed[32:44].hex(), "aad": aad.hex(), "plain": plain.hex(), "sealed": sealed.hex()}
    )
# RFC 8032 §7.1, test 2.
public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
signature = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
assert verifier.ed25519_verify(public, b"\x72", signature)
assert not verifier.ed25519_verify(public, b"\x73", signature)
# SP 800-38D test case 16 of the GCM submission.
key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
plain = bytes.fromhex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
)
sealed = verifier.AesGcm(key).seal(
    bytes.fromhex("cafebabefacedbaddecaf888"), bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"), plain
)
assert sealed[-16:].hex() == "76fc6ece0f4e1768cddf8853bb2d551b"
json.dump(found, sys.stdout)
