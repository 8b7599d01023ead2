// Members and an identity provider: a real oidc-provider, a real Chromium. Linked in a session alone, signed in by it, stepped up by it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { startDatabase, startReplica } from '../../apps/control-plane/src/control-plane.fixture.ts';
import { TestOrganisation } from '../../apps/control-plane/src/organisation.fixture.ts';
import { missing } from '../../scripts/needs.ts';
import { startChromium } from './chromium.ts';
import { startIdentityProvider } from './identity-provider.ts';

const said = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text }).waitFor();
const standing = async (page: Page, name: string) => page.locator(`dd[data-of="${name}"]`).textContent();

test('members sign in at an identity provider', { skip: missing('full', 'chromium') }, async (t) => {
  const database = await startDatabase(t);
  const provider = await startIdentityProvider(t);
  const { host } = new URL(provider.issuer);
  const flags = ['--name', 'localhost', '--fetch-from', host, '--fetch-ca', provider.caFile];
  const controlPlane = await startReplica(t, { databaseUrl: database.url, flags });
  const { url } = controlPlane.ready;
  const { client } = await new TestOrganisation().enrol(t, controlPlane);
  const add: Parameters<typeof client.addProvider>[0] = {
    issuer: provider.issuer,
    clientId: 'ringfence',
    secret: 'a-secret-of-the-client',
    algorithms: ['ES256'],
    assures: 2,
    acr: 'two-factors',
  };
  const browser = await startChromium(t, [controlPlane.ready['ca_file'] ?? '', provider.caFile]);
  const page = await browser.context.newPage();
  const signOnAt = async (form: string, id: string, button: string) => {
    await page.locator(`${form} input[name=provider]`).fill(id);
    await page.locator(form).getByRole('button', { name: button }).click();
  };
  await provider.tell({ redirectUri: `${url}/account/signed-on`, account: 'anna' });
  let id = '';

  await t.test('an officer sets it; it is asked at once, and only where the operator allows', async () => {
    await assert.rejects(client.addProvider({ ...add, issuer: 'https://127.0.0.1:9' }), { code: 'unavailable' });
    await assert.rejects(client.addProvider({ ...add, algorithms: ['EdDSA'] }), { code: 'bad-request' });
    const { providers, redirectUri } = await client.addProvider(add);
    id = providers[0]?.provider ?? assert.fail();
    assert.equal(redirectUri, `${url}/account/signed-on`);
    await assert.rejects(client.addProvider(add), { code: 'conflict' });
  });

  await t.test('a stranger whom it knows is nobody here', async () => {
    await page.goto(`${url}/account`);
    await signOnAt('#sign-in-provider', id, 'Sign in there');
    await said(page, 'was not taken');
    assert.deepEqual(await client.sessions(), []);
  });

  await t.test('its word is linked in the session that an invitation began', async () => {
    const { secret } = await client.inviteMember({ roles: [{ role: 'owner' }] });
    await page.goto(`${url}/account#invitation=${secret}`);
    await page.reload();
    await page.locator('#accept-invitation input').fill(secret);
    await page.getByRole('button', { name: 'Accept the invitation' }).click();
    await said(page, 'You are signed in.');
    await signOnAt('#link-provider', id, 'Link it');
    await page.waitForURL(`${url}/account`);
    await said(page, 'You are signed in.');
    assert.match((await standing(page, 'enrolled')) ?? '', /sso/);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await said(page, 'Nobody is signed in here.');
  });

  await t.test('it signs its member in, at the level that the organisation takes its word for', async () => {
    let back = '';
    page.on('request', (request) => {
      if (back === '' && request.url().startsWith(`${url}/account/signed-on`)) back = request.url();
    });
    await signOnAt('#sign-in-provider', id, 'Sign in there');
    await said(page, 'You are signed in.');
    assert.equal(await standing(page, 'level'), '2');
    assert.equal(page.url(), `${url}/account`, 'nothing of the way stays in the address');
    const sent = new URL(back).searchParams;
    assert.deepEqual([sent.has('code'), sent.has('state'), sent.get('iss')], [true, true, provider.issuer]);
    await Promise.all([page.waitForURL(/signed-on/), signOnAt('#link-provider', id, 'Step up there')]);
    await said(page, 'You are signed in.');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await said(page, 'Nobody is signed in here.');
    await page.goto(back);
    await said(page, 'began no sign-in');
    assert.deepEqual(await client.sessions(), [], 'what brought one back does so once');
  });

  await t.test('what was sent to one browser signs in no other one', async () => {
    const other = await startChromium(t, [controlPlane.ready['ca_file'] ?? '', provider.caFile]);
    const theirs = await other.context.newPage();
    /** Comes back from the provider, and goes no further: what it came back with. */
    const comeBack = async (at: Page): Promise<string> => {
      let back = '';
      at.on('request', (request) => {
        if (request.url().startsWith(`${url}/account/signed-on`)) back = request.url();
      });
      await at.route('**/v1/sign-in/provider', (route) => route.abort());
      await at.goto(`${url}/account`);
      await at.locator('#sign-in-provider input').fill(id);
      await at.getByRole('button', { name: 'Sign in there' }).click();
      await said(at, 'That did not work.');
      await at.unrouteAll();
      return back;
    };
    const ours = await comeBack(page);
    await comeBack(theirs);
    await theirs.goto(ours);
    await said(theirs, 'was not taken');
    assert.deepEqual(await client.sessions(), []);
  });

  await t.test('another person of the provider is nobody, and a device alone does not change it any more', async () => {
    await provider.tell({ account: 'ben' });
    await browser.context.clearCookies();
    await page.goto(`${url}/account`);
    await signOnAt('#sign-in-provider', id, 'Sign in there');
    await said(page, 'was not taken');
    await assert.rejects(client.removeProvider(id), { code: 'step-up' }, 'an owner has a factor by now');
  });

  await t.test('and nothing that the page does breaks its policy', () => {
    assert.deepEqual(
      browser.complaints.filter((text) => /Content Security Policy|Trusted|TypeError/.test(text)),
      [],
    );
  });
});
