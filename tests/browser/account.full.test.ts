// A member in a real Chromium: in by invitation, a passkey of its virtual authenticator, out, in by it, a step-up, and sessions ended.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRng } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import type { Page } from 'playwright-core';
import { ShiftedClock, startDatabase, startReplica } from '../../apps/control-plane/src/control-plane.fixture.ts';
import { TestOrganisation } from '../../apps/control-plane/src/organisation.fixture.ts';
import { sendRaw } from '../../apps/control-plane/src/http/raw-request.fixture.ts';
import { missing } from '../../scripts/needs.ts';
import { startChromium, VirtualAuthenticator } from './chromium.ts';

const said = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text }).waitFor();
const standing = async (page: Page, name: string) => page.locator(`dd[data-of="${name}"]`).textContent();

const FACTOR_IS_OLD_MS = 15 * 60_000;

/** Run in the page, as a script of its own origin would: what it can get at. */
const TAKE_KEY = `(async () => {
  const done = (asked) => new Promise((resolve) => asked.addEventListener('success', () => resolve(asked.result)));
  const database = await done(indexedDB.open('ringfence', 1));
  const { privateKey } = await done(database.transaction('keys').objectStore('keys').get('current'));
  const taken = await crypto.subtle.exportKey('pkcs8', privateKey).then(() => 'taken', (error) => error.name);
  const unsigned = await fetch('/v1/account', { credentials: 'same-origin' });
  return { taken, cookie: document.cookie, unsigned: unsigned.status };
})()`;

test('a member signs in with a real browser', { skip: missing('full', 'chromium') }, async (t) => {
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: database.url, flags: ['--name', 'localhost'], clock });
  const { url } = controlPlane.ready;
  assert.match(url, /^https:\/\/localhost:/);
  const org = new TestOrganisation(clock);
  const { client } = await org.enrol(t, controlPlane);
  const browser = await startChromium(t, [controlPlane.ready['ca_file'] ?? '']);
  const page = await browser.context.newPage();
  const authenticator = await VirtualAuthenticator.of(page);

  await t.test('by an invitation, which leaves the address and is good once', async () => {
    const { secret } = await client.inviteMember({ roles: [{ role: 'owner' }] });
    await page.goto(`${url}/account#invitation=${secret}`);
    await page.getByRole('button', { name: 'Accept the invitation' }).click();
    await said(page, 'You are signed in.');
    assert.equal(page.url(), `${url}/account`);
    assert.equal(await standing(page, 'level'), '0');
    const { publicKey } = SigningKey.generate(systemRng);
    const body = Buffer.from(JSON.stringify({ secret, publicKey }));
    const again = await sendRaw(controlPlane, { method: 'POST', path: '/v1/sign-in/invitation', body });
    assert.equal(again.status, 401);
  });

  await t.test('makes a discoverable passkey for this host', async () => {
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await said(page, 'The passkey is yours.');
    const [passkey, ...more] = await authenticator.passkeys();
    assert.deepEqual([passkey?.rpId, passkey?.isDiscoverable, more], ['localhost', true, []]);
    assert.match((await standing(page, 'enrolled')) ?? '', /passkey/);
    const [added, begun] = await page.locator('#notices li').allTextContents();
    assert.match(added ?? '', /a passkey became yours/);
    assert.match(begun ?? '', /a browser signed in as you by your invitation/);
  });

  await t.test('sets a password, and changes it with the one before', async () => {
    const set = async (current: string, password: string) => {
      const form = page.locator('#set-password');
      await form.getByLabel('Current password').fill(current);
      await form.getByLabel('New password').fill(password);
      await form.getByRole('button').click();
    };
    await set('', 'seven quiet lamps over water');
    await said(page, 'The password is set');
    await set('six quiet lamps over water', 'nine slow boats under fog');
    await said(page, 'this is not the current password');
  });

  await t.test('signs out, and is nobody after; nothing of who was there is left in the page', async () => {
    await page.getByRole('button', { name: 'Make recovery codes' }).click();
    await said(page, 'Keep these');
    const shown = [await page.locator('#codes').textContent(), await standing(page, 'member')];
    await page.getByRole('button', { name: 'Sign out' }).click();
    await said(page, 'Nobody is signed in here.');
    const left = await page.content();
    assert.match(shown.join(' '), /rfb1-.* mem_/s);
    for (const text of shown) assert.ok(!left.includes(text ?? ''));
    assert.deepEqual(await client.sessions(), []);
  });

  await t.test('signs in by the passkey, with no name typed', async () => {
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await said(page, 'You are signed in.');
    assert.equal(await standing(page, 'level'), '3');
    assert.equal((await client.sessions()).length, 1);
  });

  await t.test('steps up; not without its user', async () => {
    const before = (await authenticator.passkeys())[0]?.count ?? assert.fail();
    await page.getByRole('button', { name: 'Step up with a passkey' }).click();
    await said(page, 'You stepped up.');
    assert.ok(((await authenticator.passkeys())[0]?.count ?? 0) > before);
    await authenticator.verifies(false);
    await page.getByRole('button', { name: 'Step up with a passkey' }).click();
    await said(page, 'The browser gave no passkey.');
    await authenticator.verifies(true);
  });

  await t.test('steps up for a device that asks, which the page names', async () => {
    const { url: address } = await client.stepUpInBrowser();
    await page.goto('about:blank');
    await page.goto(address);
    await page.getByText(org.device.id).waitFor();
    assert.equal(page.url(), `${url}/account`, 'the secret is not left in the address');
    await page.getByRole('button', { name: 'Step up for this device' }).click();
    await said(page, 'The device has stepped up.');
    const { member, level, given } = await client.account();
    assert.deepEqual([member !== null, level, given.map(({ kind }) => kind)], [true, 3, ['passkey']]);
    await page.reload();
    await said(page, 'You are signed in.');
  });

  await t.test('has a key that no script can take away, and a cookie that none can read', async () => {
    const seen = await page.evaluate(TAKE_KEY);
    assert.deepEqual(seen, { taken: 'InvalidAccessError', cookie: '', unsigned: 401 });
    const [cookie] = await browser.context.cookies(url);
    assert.deepEqual(
      [cookie?.name, cookie?.httpOnly, cookie?.secure, cookie?.sameSite, cookie?.path],
      ['__Host-rf', true, true, 'Strict', '/'],
    );
  });

  await t.test('ends all other sessions after a factor that is not old, and goes on', async () => {
    await browser.context.clearCookies();
    await page.reload();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await said(page, 'You are signed in.');
    assert.equal((await client.sessions()).length, 2);
    clock.shift(FACTOR_IS_OLD_MS);
    // The page's time goes on from there: what it signs is fresh for a minute.
    await page.clock.setSystemTime(clock.now());
    await page.getByRole('button', { name: 'End all others' }).click();
    await said(page, 'this asks for a surer sign of who you are');
    assert.equal((await client.sessions()).length, 2);
    await page.getByRole('button', { name: 'Step up with a passkey' }).click();
    await said(page, 'You stepped up.');
    await page.getByRole('button', { name: 'End all others' }).click();
    await said(page, 'All other sessions have ended.');
    const [left, ...more] = await client.sessions();
    assert.match((await page.locator('#sessions').textContent()) ?? '', new RegExp(`^${left?.session} \\(this one\\)`));
    assert.deepEqual(more, []);
  });

  await t.test('ends its session from the list', async () => {
    await page.getByRole('button', { name: 'End', exact: true }).click();
    await said(page, 'This session has ended.');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await client.sessions(), []);
  });

  await t.test('and nothing that the page does breaks its policy', () => {
    const policy = browser.complaints.filter((text) => /Content Security Policy|Trusted|TypeError/.test(text));
    assert.deepEqual(policy, []);
  });
});
