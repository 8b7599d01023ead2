import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { sha256Hex, SigningKey } from '@ringfence/crypto/sign';
import { systemRng, utf8 } from '@ringfence/base';
import {
  accountView,
  memberList,
  browserStepUpBegun,
  passkeyAsked,
  passkeyList,
  passkeyUseAsked,
} from '@ringfence/protocol/api';
import { ShiftedClock, startDatabase, startReplica } from '../control-plane.fixture.ts';
import { requestDigest } from '../http/request-digest.ts';
import { sendRaw, signedRaw } from '../http/raw-request.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';
import { TestBrowser, type Seen } from '../sessions/test-browser.fixture.ts';
import { relyingPartyOf } from './relying-party.ts';
import { SoftwarePasskey, type Bent } from './software-authenticator.fixture.ts';

test('members and their passkeys', async (t) => {
  const { controlPlane, clock, org, party, member } = await start(t);
  const [anna, passkey] = [await member(), new SoftwarePasskey(party)];
  const [ben, bens] = [await member(), new SoftwarePasskey(party)];
  const add = (browser: TestBrowser, key: SoftwarePasskey, bent?: Bent) => addPasskey(browser, key, bent);
  const signIn = (key: SoftwarePasskey, bent?: Bent) => signInBy(new TestBrowser(controlPlane, clock), key, bent);
  const device = (path: string, value: unknown) =>
    sendRaw(controlPlane, signedRaw(org, clock, { method: 'POST', path, value }));

  await t.test('a passkey is added for this origin and host alone, and only once', async () => {
    for (const bent of [{ origin: 'https://localhost.example' }, { rpId: 'example' }, { verified: false }])
      assert.equal((await add(anna, passkey, bent)).status, 401, JSON.stringify(bent));
    assert.deepEqual(passkeyList.parse((await anna.ask('GET', '/v1/account/passkeys')).value).passkeys, []);
    assert.equal((await add(anna, passkey)).status, 200);
    assert.equal((await add(ben, passkey)).code, 'conflict', 'an id is one in all organisations');
    assert.equal((await add(ben, bens)).status, 200);
  });

  await t.test('it begins a session with no name; not from another origin, and not without its user', async () => {
    const { seen, browser } = await signIn(passkey);
    assert.equal(seen.status, 200);
    assert.deepEqual(
      [browser.member, accountView.parse((await browser.ask('GET', '/v1/account')).value).level],
      [anna.member, 3],
    );
    const bents: Bent[] = [
      { origin: 'https://localhost.example' },
      { rpId: 'example' },
      { verified: false },
      { crossOrigin: true },
      { userHandle: ben.member ?? '' },
    ];
    const answers = [];
    for (const bent of bents) answers.push((await signIn(passkey, bent)).seen.text);
    answers.push((await signIn(new SoftwarePasskey(party), { userHandle: null })).seen.text);
    assert.equal(new Set(answers).size, 1, 'all are answered alike');
  });

  await t.test('a challenge is answered once, in the browser that got it, in its time', async () => {
    const browser = new TestBrowser(controlPlane, clock);
    const { publicKey } = browser.key;
    const begin = async () =>
      passkeyUseAsked.parse((await browser.knock('/v1/sign-in/passkey/begin', { publicKey })).value);
    const first = await begin();
    const answer = { ceremony: first.ceremony, assertion: passkey.get(first), publicKey };
    const stolen = { ...answer, publicKey: SigningKey.generate(systemRng).publicKey };
    assert.equal((await browser.knock('/v1/sign-in/passkey', stolen)).status, 401);
    assert.equal((await browser.knock('/v1/sign-in/passkey', answer)).status, 200);
    assert.equal((await browser.knock('/v1/sign-in/passkey', answer)).status, 401);
    const failed = await begin();
    const bent = { ceremony: failed.ceremony, assertion: passkey.get(failed, { verified: false }), publicKey };
    assert.equal((await browser.knock('/v1/sign-in/passkey', bent)).status, 401);
    const mended = { ...bent, assertion: passkey.get(failed) };
    assert.equal((await browser.knock('/v1/sign-in/passkey', mended)).status, 401, 'a wrong answer spends it, too');
    const late = await begin();
    clock.shift(5 * 60_000);
    const tooLate = { ceremony: late.ceremony, assertion: passkey.get(late), publicKey };
    assert.equal((await browser.knock('/v1/sign-in/passkey', tooLate)).status, 401);
  });

  await t.test('a step-up takes the member’s own passkey, for the session that asked', async () => {
    const { browser } = await signIn(passkey);
    clock.shift(20 * 60_000);
    const { browser: other } = await signIn(bens);
    const begin = async (of: TestBrowser) =>
      passkeyUseAsked.parse((await of.ask('POST', '/v1/step-up/passkey/begin', {})).value);
    const asked = await begin(browser);
    assert.deepEqual(asked.allow, [passkey.id]);
    const end = (of: TestBrowser, key: SoftwarePasskey) =>
      of.ask('POST', '/v1/step-up/passkey', { ceremony: asked.ceremony, assertion: key.get(asked) });
    assert.equal((await end(other, bens)).status, 401, 'another session');
    assert.equal((await end(browser, bens)).status, 401, 'another member’s passkey');
    const again = await begin(browser);
    const done = await browser.ask('POST', '/v1/step-up/passkey', {
      ceremony: again.ceremony,
      assertion: passkey.get(again),
    });
    assert.deepEqual([done.status, (done.value as { level: number }).level], [200, 3]);
  });

  await t.test('what asks level 3 takes a passkey that was given for that very request', async () => {
    const { browser } = await signIn(passkey);
    const path = '/v1/locks/lck_aaaaaaaaaaaaaaaaaaaaaaaaaa/lift';
    const lift = () => browser.ask('POST', path, {});
    const refused = await lift();
    const wanted = requestDigest({ method: 'POST', path, query: '?', body: utf8('{}') });
    assert.deepEqual(
      [refused.code, (refused.value as { error: { forDigest: string } }).error.forDigest],
      ['step-up', wanted],
    );
    for (const forDigest of [sha256Hex(utf8('another thing')), wanted]) {
      const asked = passkeyUseAsked.parse(
        (await browser.ask('POST', '/v1/step-up/passkey/begin', { forDigest })).value,
      );
      const assertion = passkey.get(asked);
      assert.equal(
        (await browser.ask('POST', '/v1/step-up/passkey', { ceremony: asked.ceremony, assertion })).status,
        200,
      );
      assert.equal((await lift()).code === 'step-up', forDigest !== wanted);
    }
  });

  await t.test(
    'a device is given one in its member’s browser, which shows the device, and is theirs from then on',
    async () => {
      const begin = async () => {
        const begun = await device('/v1/step-up/browser/begin', {});
        const { url, ...asked } = browserStepUpBegun.parse(JSON.parse(begun.text));
        assert.ok(url.startsWith(`${party.origin}/account#step-up=${asked.ceremony}.`));
        return { ceremony: asked.ceremony, secret: asked.secret };
      };
      const end = async (browser: TestBrowser, key: SoftwarePasskey, asked: { ceremony: string; secret: string }) => {
        const looked = await browser.ask('POST', '/v1/step-up/browser/look', asked);
        if (looked.status !== 200) return looked;
        const shown = looked.value as { device: string; challenge: string };
        assert.equal(shown.device, org.device.id);
        return browser.ask('POST', '/v1/step-up/browser', { ...asked, assertion: key.get(shown) });
      };
      const asked = await begin();
      const { browser } = await signIn(passkey);
      const { browser: other } = await signIn(bens);
      const guessed = { ...asked, secret: 'A'.repeat(43) };
      assert.equal((await end(browser, passkey, guessed)).status, 401);
      assert.equal((await end(browser, passkey, asked)).status, 200);
      assert.equal((await end(browser, passkey, asked)).status, 401, 'once');
      const account = await sendRaw(controlPlane, signedRaw(org, clock, { method: 'GET', path: '/v1/account' }));
      const { member: owner, level } = accountView.parse(JSON.parse(account.text));
      assert.deepEqual([owner, level], [anna.member, 3]);
      assert.equal((await end(other, bens, await begin())).status, 401, 'it stays hers');
    },
  );

  await t.test('one whose counter fell is suspended until its member is in by something else', async () => {
    const { browser: another } = await signIn(bens);
    another.signInName = ben.signInName;
    await another.enrol();
    assert.equal((await signIn(bens, { counter: 1 })).seen.status, 401);
    assert.equal((await signIn(bens)).seen.status, 401, 'the honest one may be the copy');
    const listed = async () => {
      const { text } = await sendRaw(controlPlane, signedRaw(org, clock, { method: 'GET', path: '/v1/members' }));
      return memberList.parse(JSON.parse(text)).members.find(({ member: one }) => one === ben.member)?.factors;
    };
    assert.deepEqual(await listed(), ['totp', 'password', 'recovery-code'], 'nobody is told that it counts');
    clock.shift(60_000);
    assert.equal((await another.signIn()).status, 200);
    assert.deepEqual(await listed(), ['passkey', 'totp', 'password', 'recovery-code']);
    assert.equal((await signIn(bens)).seen.status, 200);
  });

  await t.test('one that was removed begins no session, and what it gave is gone', async () => {
    const { browser } = await signIn(passkey);
    assert.equal((await browser.ask('POST', '/v1/account/passkeys/remove', { credential: bens.id })).code, 'not-found');
    assert.equal((await browser.ask('POST', '/v1/account/passkeys/remove', { credential: passkey.id })).status, 200);
    assert.equal((await signIn(passkey)).seen.status, 401);
    assert.equal((await browser.ask('GET', '/v1/jobs')).code, 'step-up');
  });
});

async function start(t: TestContext) {
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: database.url, clock, flags: ['--name', 'localhost'] });
  const org = new TestOrganisation(clock);
  const { client } = await org.enrol(t, controlPlane);
  const member = async () => {
    const browser = new TestBrowser(controlPlane, clock);
    await browser.accept(await client.inviteMember({ roles: [{ role: 'owner' }] }));
    return browser;
  };
  return { controlPlane, clock, org, member, party: relyingPartyOf(controlPlane.ready.url) };
}

async function addPasskey(browser: TestBrowser, key: SoftwarePasskey, bent?: Bent): Promise<Seen> {
  const asked = passkeyAsked.parse((await browser.ask('POST', '/v1/account/passkeys/begin', {})).value);
  const credential = key.create(asked, bent);
  return browser.ask('POST', '/v1/account/passkeys', { ceremony: asked.ceremony, credential });
}

async function signInBy(browser: TestBrowser, key: SoftwarePasskey, bent?: Bent) {
  const { publicKey } = browser.key;
  const begun = await browser.knock('/v1/sign-in/passkey/begin', { publicKey });
  const asked = passkeyUseAsked.parse(begun.value);
  const body = { ceremony: asked.ceremony, assertion: key.get(asked, bent), publicKey };
  const seen = await browser.knock('/v1/sign-in/passkey', body);
  if (seen.status === 200) browser.isIn(seen);
  return { seen, browser };
}
