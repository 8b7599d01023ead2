import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberInvited, sessionList } from '@ringfence/protocol/api';
import { ShiftedClock, startDatabase, startReplica } from '../control-plane.fixture.ts';
import { sendRaw, signedRaw } from '../http/raw-request.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';
import { TestBrowser } from './test-browser.fixture.ts';

test('a member ends another session of theirs after giving a factor lately, and this one at any time', async (t) => {
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: database.url, clock });
  const house = new TestOrganisation(clock);
  await house.enrol(t, controlPlane);
  const value = { roles: [{ role: 'read-only' }] };
  const { text } = await sendRaw(controlPlane, signedRaw(house, clock, { method: 'POST', path: '/v1/members', value }));
  const left = new TestBrowser(controlPlane, clock);
  await left.accept(memberInvited.parse(JSON.parse(text)));
  await left.enrol();
  const { signInName, totpUri, password } = left;
  const browser = Object.assign(new TestBrowser(controlPlane, clock), { signInName, totpUri, password });
  clock.shift(60_000);
  assert.equal((await browser.signIn()).status, 200);

  const end = (which: TestBrowser) => browser.ask('POST', `/v1/account/sessions/${which.session}/end`, {});
  const open = async () => {
    const { value: list } = await browser.ask('GET', '/v1/account/sessions');
    return new Set(sessionList.parse(list).sessions.map(({ session }) => session));
  };
  clock.shift(15 * 60_000);
  for (const which of [left, browser]) {
    const refused = await end(which);
    assert.deepEqual([refused.status, refused.code], [401, 'step-up']);
    assert.match(refused.text, /"withinMs":900000.*totp/, 'what would be enough is told');
  }
  assert.deepEqual(await open(), new Set([left.session, browser.session]), 'nothing has ended');

  const factor = { kind: 'totp', code: browser.code() };
  assert.equal((await browser.ask('POST', '/v1/step-up', { factor })).status, 200);
  const ended = await end(left);
  assert.deepEqual([ended.status, ended.value], [200, { ended: 1 }], ended.text);
  assert.equal((await left.ask('GET', '/v1/account')).status, 401);
  assert.deepEqual(await open(), new Set([browser.session]));

  clock.shift(15 * 60_000);
  const out = await browser.ask('POST', '/v1/sign-out', {});
  assert.deepEqual([out.status, out.value], [200, { ended: 1 }], 'signing out asks for nothing');
});
