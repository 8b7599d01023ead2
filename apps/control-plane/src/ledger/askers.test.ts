import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, silentLog, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { RecordKey } from '@ringfence/crypto/record';
import { SigningKey } from '@ringfence/crypto/sign';
import { readAuditEntry, splitBundle } from '@ringfence/ledger/tlog';
import { openTestStore, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { wishedBy } from '../http/wished-by.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { newAgent, TestOrganisation } from '../organisation.fixture.ts';
import { addProvider, removeProvider } from '../sign-on/provider-rows.ts';
import { OrgChanges } from '../store/org-changes.ts';
import { recordEvent } from './record-event.ts';

test('the log says of whatever somebody asked for who it was', async (t) => {
  const { url } = await startDatabase(t);
  const house = new TestOrganisation();
  const { client } = await house.enrol(t, await startReplica(t, { databaseUrl: url }));
  // A provider is asked whether it is one before it is added; here there is none to ask.
  const store = await openTestStore(t, url);
  const context = {
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
    changes: new OrgChanges(store, 'one'),
    record: recordEvent(systemClock, store),
    identity: { records: RecordKey.generate(systemRng) },
  } as unknown as ControlPlaneContext;
  const inBrowser = { org: house.org, member: newId('member', systemRng) };
  const provider = await addProvider(context, inBrowser, {
    issuer: 'https://127.0.0.1:9',
    clientId: 'ringfence',
    secret: null,
    algorithms: ['ES256'],
    assures: 1,
    acr: null,
  });
  await removeProvider(context, inBrowser, provider);

  const { job } = await client.submit(house.submission());
  await client.stop(job, 0);
  await client.drainAgent(house.agent.id, { drain: true });
  const lock = await client.locks.set({ kind: 'agent', agent: newAgent().id });
  const confirmed = await client.locks.agree(lock.lock, 'confirm', lock.term);
  await client.locks.agree(lock.lock, 'lift', confirmed.lock.term);
  const { member } = await client.inviteMember({ roles: [{ role: 'auditor' }] });
  await client.removeMember(member);
  const publicKey = SigningKey.generate(systemRng).publicKey;
  const { account } = await client.addServiceAccount({ roles: [{ role: 'read-only' }], key: { publicKey, days: 1 } });
  await client.removeServiceAccount(account);

  const actors = async (): Promise<Map<string, object>> => {
    const { size } = await client.audit();
    const bundle = splitBundle(await client.auditTile('entries', 0, Math.min(256, size))) ?? [];
    return new Map(bundle.flatMap((bytes) => readAuditEntry(bytes) ?? []).map(({ action, actor }) => [action, actor]));
  };
  await until('all is logged', async () => (await actors()).has('service-account-removed'));
  const logged = await actors();
  for (const action of [
    'stop-requested',
    'agent-drained',
    'lock-set',
    'lock-confirmed',
    'lock-ended',
    'member-invited',
    'member-removed',
    'service-account-added',
    'service-account-removed',
  ])
    assert.deepEqual(logged.get(action), { kind: 'device', id: house.device.id }, action);
  for (const action of ['sso-provider-added', 'sso-provider-removed'])
    assert.deepEqual(logged.get(action), { kind: 'member', id: inBrowser.member }, action);
});

test('who wished something: an account, a device, whosever it is, or a member in a browser', () => {
  const [org, device] = [newId('org', systemRng), newId('device', systemRng)];
  const [member, account] = [newId('member', systemRng), newId('serviceAccount', systemRng)];
  assert.deepEqual(wishedBy({ org, account }), { account });
  assert.deepEqual(wishedBy({ org, device, member }), { device });
  assert.deepEqual(wishedBy({ org, member }), { member });
});
