import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberInvited, totpBegun } from '@ringfence/protocol/api';
import { openTestStore, ShiftedClock, startDatabase, startReplica } from '../control-plane.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';
import { TestBrowser } from '../sessions/test-browser.fixture.ts';
import { sendRaw, signedRaw } from './raw-request.fixture.ts';

test('whoever set up an authenticator first sets a password after it, in the session that gave its code alone', async (t) => {
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: database.url, clock });
  const house = new TestOrganisation(clock);
  await house.enrol(t, controlPlane);
  const value = { roles: [{ role: 'officer' }] };
  const { text } = await sendRaw(controlPlane, signedRaw(house, clock, { method: 'POST', path: '/v1/members', value }));
  const browser = new TestBrowser(controlPlane, clock);
  await browser.accept(memberInvited.parse(JSON.parse(text)));
  browser.totpUri = totpBegun.parse((await browser.ask('POST', '/v1/account/totp', {})).value).uri;
  const confirmed = await browser.ask('POST', '/v1/account/totp/confirm', { code: browser.code() });
  assert.equal(confirmed.status, 200, confirmed.text);
  const setPassword = () => browser.ask('POST', '/v1/account/password', { password: browser.password });

  const store = await openTestStore(t, database.url);
  await store.withOrg(house.org, (tx) => tx.deleteFrom('given_factor').execute());
  const notGiven = await setPassword();
  assert.deepEqual([notGiven.status, notGiven.code], [401, 'step-up'], 'a session that gave nothing');
  clock.shift(60_000);
  const factor = { kind: 'totp', code: browser.code() };
  assert.equal((await browser.ask('POST', '/v1/step-up', { factor })).status, 200);
  const set = await setPassword();
  assert.equal(set.status, 200, set.text);
  assert.equal((await browser.ask('GET', '/v1/members')).status, 200, 'both together are level 2');
  clock.shift(20 * 60_000);
  const late = await setPassword();
  assert.deepEqual([late.status, late.code], [401, 'step-up'], 'what would be enough is asked for');
});
