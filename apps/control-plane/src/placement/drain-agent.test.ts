import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { memberOf, newAgent, offerOf, TestOrganisation } from '../organisation.fixture.ts';

test('a draining agent gets no new leases; what runs there goes on, or is told to stop and follows elsewhere; without any disk it gets none either', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl });
  const org = new TestOrganisation();
  const { client, custodian, agent } = await org.enrol(t, controlPlane);
  const { job } = await client.submit(org.submission({ placement: { retryOn: ['interruption'] } }));
  await until('a lease', async () => (await client.job(job)).state === 'leased');
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'running' } });
  const [drained] = await client.drainAgent(org.agent.id, { drain: true });
  assert.equal(drained?.draining, true);
  const waiting = await client.submit(org.submission());
  await until('it says why', async () => (await client.job(waiting.job)).waitingFor.length > 0);
  assert.deepEqual((await client.job(waiting.job)).waitingFor, [{ constraint: 'agent-draining', count: 1 }]);
  await until('the other goes on', async () => (await client.job(job)).state === 'running');
  assert.ok(agent.messages.every(({ name }) => name !== 'stop'));
  for (const _ of ['once', 'again']) await client.drainAgent(org.agent.id, { drain: true, stopWithinMs: 60_000 });
  await until('a stop', () => agent.messages.some(({ name }) => name === 'stop'));
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'stopped', outcome: 'interrupted' } });
  await until('it waits', async () => (await client.job(job)).state === 'queued');
  const stops = agent.messages.flatMap((message) => (message.name === 'stop' ? [message.body] : []));
  assert.deepEqual(stops, [{ job, attempt: 1, graceMs: 60_000, reason: 'drain' }], 'told once');
  assert.equal((await client.job(job)).attempts[0]?.stopCause, 'drain');
  // A restarted agent drains on.
  await agent.send(offerOf(org.agent, { epoch: 2 }));
  const other = newAgent();
  await custodian.send(memberOf(other));
  const there = org.dial(t, controlPlane, other);
  await there.send(offerOf(other, { cpuMilli: 1_000 }));
  await until('one of the two runs elsewhere', () => there.messages.some(({ name }) => name === 'lease'));
  assert.equal(agent.messages.filter(({ name }) => name === 'lease').length, 1);
  await client.drainAgent(org.agent.id, { drain: false });
  await until('it gets the rest', () => agent.messages.filter(({ name }) => name === 'lease').length === 2);
  // A disk that is nearly full: its agent offers none, and gets no new work until it has some again.
  await agent.send(offerOf(org.agent, { epoch: 3, diskBytes: 0, isolations: ['microvm'] }));
  const none = await client.submit(org.submission({ placement: { isolation: 'microvm' } }));
  await until('it says why', async () =>
    (await client.job(none.job)).waitingFor.some(({ constraint }) => constraint === 'disk'),
  );
  await agent.send(offerOf(org.agent, { epoch: 4, isolations: ['microvm'] }));
  await until('it is leased', async () => (await client.job(none.job)).state === 'leased');
  await assert.rejects(client.drainAgent(newId('agent', systemRng), { drain: true }), { code: 'not-found' });
});
