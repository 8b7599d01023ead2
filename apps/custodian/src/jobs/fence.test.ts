import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { SigningKey } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { ask, depositTestJob, grantBody, joinRig, stoppedBy } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig } from '../fixtures/organisation.fixture.ts';

test('an attempt that keeps on is followed by another after an officer’s fence alone; then it gets its grant no more', async (t) => {
  const [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  t.after(async () => {
    await rig.close();
    await controlPlane.close();
  });
  const organisation = await claimRig(rig, controlPlane);
  const [one, two] = [await joinRig(rig, organisation, 'node-1'), await joinRig(rig, organisation, 'node-2')];
  const { client, device, org, sign } = organisation;
  const made = await depositTestJob(rig, organisation, { onPartition: 'keep', retryOn: ['interruption'] });
  const { job } = made.body;
  const first = grantBody(controlPlane, one, made, { attempt: 1 });
  const second = grantBody(controlPlane, two, made, { attempt: 2 });
  assert.equal((await ask(one, first)).result, 'granted');
  assert.deepEqual(await ask(two, second), { result: 'refused', reason: 'attempt-may-run' });
  const word = { v: 1, org, job, attempt: 1, device, at: clock.now() } as const;
  const bad = { code: 'bad-statement' };
  await assert.rejects(client.fence(job, signStatement('fence', word, [SigningKey.generate(rng)])), bad);
  await assert.rejects(client.fence(newId('job', rng), signStatement('fence', word, [sign])), { status: 422 });
  await assert.rejects(
    client.fence(job, signStatement('fence', { ...word, device: newId('device', rng) }, [sign])),
    bad,
  );
  await client.fence(job, signStatement('fence', { ...word, attempt: 7 }, [sign]));
  assert.deepEqual(
    await ask(two, second),
    { result: 'refused', reason: 'attempt-may-run' },
    'another attempt was fenced',
  );
  await client.fence(job, signStatement('fence', word, [sign]));
  await client.fence(job, signStatement('fence', word, [sign]));
  assert.equal((await ask(one, first)).result, 'refused', 'its own grant is given no more');
  assert.equal((await ask(two, second)).result, 'granted');
  assert.deepEqual(await ask(one, grantBody(controlPlane, one, made, { attempt: 3 })), {
    result: 'refused',
    reason: 'attempt-may-run',
  });
});

test('a service may be granted again and again, however its attempts ended; other jobs as they wish', async (t) => {
  const [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  t.after(async () => {
    await rig.close();
    await controlPlane.close();
  });
  const organisation = await claimRig(rig, controlPlane);
  const agent = await joinRig(rig, organisation, 'node-1');
  const grant = async (made: Awaited<ReturnType<typeof depositTestJob>>, attempt: number) =>
    (await ask(agent, grantBody(controlPlane, agent, made, { attempt }))).result;
  const service = await depositTestJob(rig, organisation, {
    type: 'serve',
    onPartition: 'keep',
    edit: { maxAttempts: 1_000_000 },
  });
  const train = await depositTestJob(rig, organisation, { retryOn: ['interruption'] });
  for (const [index, outcome] of (['stopped', 'failed', 'timed-out', 'out-of-memory'] as const).entries()) {
    assert.equal(await grant(service, index * 1_000 + 1), 'granted');
    assert.equal(await grant(service, index * 1_000 + 2), 'refused', 'while it may run');
    await agent.client.stopped(stoppedBy(agent, service, index * 1_000 + 1, outcome));
  }
  assert.equal(await grant(train, 1), 'granted');
  await agent.client.stopped(stoppedBy(agent, train, 1, 'failed'));
  assert.equal(await grant(train, 2), 'refused');
  const commit = { job: service.body.job, attempt: 5_000, outputs: [] };
  assert.equal(await grant(service, 5_000), 'granted');
  assert.deepEqual(await agent.client.commit(commit), { result: 'refused', reason: 'not-current' });
});
