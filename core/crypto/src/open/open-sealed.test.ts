import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Aes256Gcm, CipherSuite as OtherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import * as hpke from 'hpke';
import {
  fromBase64Url,
  fromHex,
  Secret,
  seededRng,
  toBase64Url,
  toHex,
  utf8,
  type JobId,
  type OrgId,
} from '@ringfence/base';
import { sealTo } from '../seal/seal-to.ts';
import { sealInfoBytes, type SealInfo } from '../x-wing/seal-info.ts';
import { X_WING_BYTES, type SealPublicKey } from '../x-wing/x-wing.ts';
import { decapsulateWith, openSealed } from './open-sealed.ts';
import { SealPrivateKey } from './seal-private-key.ts';

const rng = seededRng('open-sealed');
const key = SealPrivateKey.generate(rng);
const org = 'org_abcdefghijklmnopqrstuvwxyz' as OrgId;
const job = 'job_abcdefghijklmnopqrstuvwxyz' as JobId;
const info: SealInfo = { purpose: 'grant', org, job, attempt: 1 };
const context = { info, aad: utf8('aad') };
const buffer = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;

test('X-Wing: the first vector of draft-connolly-cfrg-xwing-kem, appendix C', () => {
  // Its seeds are the first bytes of SHAKE128 of nothing; another implementation encapsulates with the given seed.
  const stream = createHash('shake128', { outputLength: 96 }).digest();
  const recipient = SealPrivateKey.fromSeed(new Secret(stream.subarray(0, 32)));
  assert.equal(toHex(recipient.seed().expose()).slice(0, 16), '7f9c2ba4e88f827d');
  const made = ml_kem768_x25519.encapsulate(fromBase64Url(recipient.publicKey), stream.subarray(32, 96));
  assert.equal(
    toHex(decapsulateWith(recipient, made.cipherText)),
    'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384',
  );
});

test('RFC 9180 A.1: the construction on its classical suite', async () => {
  const suite = new hpke.CipherSuite(hpke.KEM_DHKEM_X25519_HKDF_SHA256, hpke.KDF_HKDF_SHA256, hpke.AEAD_AES_128_GCM);
  const secretKey = fromHex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8');
  const opened = await suite.Open(
    await suite.DeserializePrivateKey(secretKey),
    fromHex('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431'),
    fromHex('f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a'),
    { info: fromHex('4f6465206f6e2061204772656369616e2055726e'), aad: fromHex('436f756e742d30') },
  );
  assert.equal(Buffer.from(opened).toString(), 'Beauty is truth, truth beauty');
});

test('the library and another one agree on X25519, HKDF-SHA256, AES-256-GCM', async () => {
  const ours = new hpke.CipherSuite(hpke.KEM_DHKEM_X25519_HKDF_SHA256, hpke.KDF_HKDF_SHA256, hpke.AEAD_AES_256_GCM);
  const theirs = new OtherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const pair = await ours.GenerateKeyPair(true);
  const sealed = await ours.Seal(pair.publicKey, utf8('there'), { info: utf8('i'), aad: utf8('a') });
  const recipientKey = await theirs.kem.importKey(
    'raw',
    buffer(await ours.SerializePrivateKey(pair.privateKey)),
    false,
  );
  const opened = await theirs.open(
    { recipientKey, enc: buffer(sealed.encapsulatedSecret), info: buffer(utf8('i')) },
    buffer(sealed.ciphertext),
    buffer(utf8('a')),
  );
  assert.equal(Buffer.from(opened).toString(), 'there');
});

const otherSuite = new OtherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

test('another implementation opens what ours seals', async () => {
  const sealed = await sealTo(key.publicKey, context, utf8('hello'));
  const recipientKey = await otherSuite.kem.importKey('raw', buffer(key.seed().expose()), false);
  const opened = await otherSuite.open(
    { recipientKey, enc: buffer(sealed.subarray(0, X_WING_BYTES.encapsulated)), info: buffer(sealInfoBytes(info)) },
    buffer(sealed.subarray(X_WING_BYTES.encapsulated)),
    buffer(context.aad),
  );
  assert.equal(Buffer.from(opened).toString(), 'hello');
});

test('ours opens what two other implementations seal', async () => {
  const recipientPublicKey = await otherSuite.kem.importKey('raw', buffer(fromBase64Url(key.publicKey)), true);
  const theirs = await otherSuite.seal(
    { recipientPublicKey, info: buffer(sealInfoBytes(info)) },
    buffer(utf8('hello')),
    buffer(context.aad),
  );
  const sealed = Buffer.concat([Buffer.from(theirs.enc), Buffer.from(theirs.ct)]);
  assert.equal(Buffer.from(await openSealed(key, context, sealed)).toString(), 'hello');
  const builtIn = new hpke.CipherSuite(hpke.KEM_MLKEM768_X25519, hpke.KDF_HKDF_SHA256, hpke.AEAD_AES_256_GCM);
  const recipient = await builtIn.DeserializePublicKey(fromBase64Url(key.publicKey));
  const made = await builtIn.Seal(recipient, utf8('hello'), { info: sealInfoBytes(info), aad: context.aad });
  const joined = Buffer.concat([made.encapsulatedSecret, made.ciphertext]);
  assert.equal(Buffer.from(await openSealed(key, context, joined)).toString(), 'hello');
});

test('opens for its key, purpose, organisation, job, attempt and AAD alone', async () => {
  const sealed = await sealTo(key.publicKey, context, utf8('payload'));
  const others: SealInfo[] = [
    { purpose: 'workload', org, job },
    { ...info, attempt: 2 },
    { ...info, job: 'job_bbcdefghijklmnopqrstuvwxyz' as JobId },
    { ...info, org: 'org_bbcdefghijklmnopqrstuvwxyz' as OrgId },
  ];
  for (const other of others)
    await assert.rejects(openSealed(key, { ...context, info: other }, sealed), { code: 'cannot-open' });
  await assert.rejects(openSealed(key, { ...context, aad: utf8('') }, sealed), { code: 'cannot-open' });
  await assert.rejects(openSealed(SealPrivateKey.generate(rng), context, sealed), { code: 'cannot-open' });
  assert.equal(Buffer.from(await openSealed(key, context, sealed)).toString(), 'payload');
  assert.notDeepEqual(await sealTo(key.publicKey, context, utf8('payload')), sealed);
});

test('every region of a sealed message counts', async () => {
  const sealed = await sealTo(key.publicKey, context, utf8('payload'));
  assert.equal(sealed.length, X_WING_BYTES.encapsulated + 7 + 16);
  for (let at = 0; at < sealed.length; at += at < 1080 ? 9 : 1) {
    // X25519 ignores the highest bit of a point, but the combiner hashes the point as it came.
    const broken = Uint8Array.from(sealed);
    broken[at] = (broken[at] ?? 0) ^ 0x80;
    await assert.rejects(openSealed(key, context, broken), { code: 'cannot-open' }, `byte ${at}`);
  }
  for (const length of [0, 1, 1119, 1120, 1121, 1135, 1136, sealed.length - 1])
    await assert.rejects(openSealed(key, context, sealed.subarray(0, length)), { code: 'cannot-open' });
  await assert.rejects(openSealed(key, context, Buffer.concat([sealed, Buffer.alloc(1)])), { code: 'cannot-open' });
});

test('hostile messages are refused with one code', async () => {
  for (let run = 0; run < 1000; run += 1)
    await assert.rejects(openSealed(key, context, rng.bytes(1100 + (run % 100))), { code: 'cannot-open' });
});

test('keys that cannot be used are refused', async () => {
  const raw = fromBase64Url(key.publicKey);
  const unreduced = Uint8Array.from(raw);
  unreduced.set([0xff, 0xff, 0xff]);
  const zeroPoint = Uint8Array.from(raw);
  zeroPoint.fill(0, 1184);
  for (const bad of [unreduced, zeroPoint, raw.subarray(1)])
    await assert.rejects(sealTo(toBase64Url(bad) as SealPublicKey, context, utf8('x')), { code: 'bad-key' });
  assert.throws(() => SealPrivateKey.fromSeed(new Secret(new Uint8Array(31))), { code: 'bad-key' });
  assert.equal(SealPrivateKey.fromSeed(key.seed()).publicKey, key.publicKey);
});
