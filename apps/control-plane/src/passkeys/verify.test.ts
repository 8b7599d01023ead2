import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toBase64Url, utf8 } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import { relyingPartyOf } from './relying-party.ts';
import { SoftwarePasskey, type Bent } from './software-authenticator.fixture.ts';
import { stepUpChallenge } from './step-up-challenge.ts';
import { verifyAssertion } from './verify-assertion.ts';
import { verifyRegistration } from './verify-registration.ts';

const party = relyingPartyOf('https://localhost:8443');
const member = 'mem_aaaaaaaaaaaaaaaaaaaaaaaaaa';
const challenge = toBase64Url(Buffer.alloc(32, 7));
const user = { id: toBase64Url(utf8(member)) };

async function enrolled(passkey: SoftwarePasskey) {
  const verified = await verifyRegistration(passkey.create({ challenge, user }), { challenge, party });
  assert.ok(verified.allow);
  return { ...verified.passkey, member };
}

describe('a new passkey', () => {
  const tried = (bent: Bent, expected = challenge) =>
    verifyRegistration(new SoftwarePasskey(party).create({ challenge, user }, bent), { challenge: expected, party });

  it('is taken with its counter, and whether it may be copied', async () => {
    const bound = await enrolled(new SoftwarePasskey(party, { counter: 5 }));
    assert.deepEqual([bound.signCount, bound.mayBeCopied], [5, false]);
    const copied = await enrolled(new SoftwarePasskey(party, { counter: 0, copied: true }));
    assert.deepEqual([copied.signCount, copied.mayBeCopied], [0, true]);
  });

  it('is refused when it was made for another challenge, origin, host, page or purpose, without its user, or with a maker’s statement', async () => {
    assert.equal((await tried({})).allow, true);
    assert.equal((await tried({}, toBase64Url(Buffer.alloc(32, 8)))).allow, false);
    const bents: Bent[] = [
      { origin: 'https://localhost' },
      { origin: 'http://localhost:8443' },
      { origin: 'https://localhost.example:8443' },
      { rpId: 'example' },
      { type: 'webauthn.get' },
      { verified: false },
      { crossOrigin: true },
      { fmt: 'android-safetynet' },
      { fmt: 'fido-u2f' },
    ];
    for (const bent of bents) assert.equal((await tried(bent)).allow, false, JSON.stringify(bent));
  });
});

describe('an assertion', () => {
  it('is refused when it is of another challenge, origin, host, page, purpose, user or key', async () => {
    const [own, other] = [new SoftwarePasskey(party), new SoftwarePasskey(party)];
    const passkey = await enrolled(own);
    await enrolled(other);
    const tried = (bent: Bent, expected = challenge) =>
      verifyAssertion(own.get({ challenge }, bent), { challenge: expected, party, passkey });
    const honest = await tried({});
    assert.deepEqual(honest, { allow: true, use: { signCount: 2, userVerified: true, mayBeCopied: false } });
    assert.equal((await tried({ userHandle: null })).allow, true);
    assert.equal((await tried({}, toBase64Url(Buffer.alloc(32, 8)))).allow, false);
    const bents: Bent[] = [
      { origin: 'https://localhost:8444' },
      { rpId: 'example' },
      { type: 'webauthn.create' },
      { verified: false },
      { crossOrigin: true },
      { userHandle: 'mem_baaaaaaaaaaaaaaaaaaaaaaaaa' },
    ];
    for (const bent of bents) assert.equal((await tried(bent)).allow, false, JSON.stringify(bent));
    const foreign = { ...other.get({ challenge }), id: own.id };
    assert.equal((await verifyAssertion(foreign, { challenge, party, passkey })).allow, false);
    const { signature, ...rest } = own.get({ challenge });
    const turned = `${signature.slice(0, 20)}${signature[20] === 'A' ? 'B' : 'A'}${signature.slice(21)}`;
    assert.equal((await verifyAssertion({ ...rest, signature: turned }, { challenge, party, passkey })).allow, false);
  });
});

describe('the challenge of a step-up', () => {
  it('is of one ceremony and one thing', () => {
    const [one, two] = [sha256Hex(utf8('lift')), sha256Hex(utf8('set'))];
    const all = [stepUpChallenge('cer_a', one), stepUpChallenge('cer_a', two), stepUpChallenge('cer_b', one)];
    assert.equal(new Set(all).size, 3);
    assert.equal(Buffer.from(all[0] ?? '', 'base64url').length, 32);
  });
});

describe('a relying party', () => {
  it('has a host name and https', () => {
    assert.deepEqual(party, { origin: 'https://localhost:8443', rpId: 'localhost' });
    for (const url of ['https://127.0.0.1:1', 'https://[::1]:1', 'http://localhost:1'])
      assert.throws(() => relyingPartyOf(url), { code: 'unavailable' });
  });
});
