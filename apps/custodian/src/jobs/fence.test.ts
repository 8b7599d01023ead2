import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { SigningKey } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { addDataset, ask, depositTestJob, grantBody, joinRig, stoppedBy } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig } from '../fixtures/organisation.fixture.ts';
import { FENCED } from './attempt-end.ts';

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

test('a fenced attempt is over for good, though its lease ran or had run out: it gets no grant, reads nothing, and goes into the ledger', async (t) => {
  const [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  t.after(async () => {
    await rig.close();
    await controlPlane.close();
  });
  const organisation = await claimRig(rig, controlPlane);
  const { client, device, org, sign } = organisation;
  const agent = await joinRig(rig, organisation, 'node-1');
  await addDataset(rig, organisation, { name: 'mounted' });
  const { manifest } = (await client.openArtifact('mounted')).pack;
  const read = async () => (await agent.client.object(manifest)).toArray();
  const { leaseEnds, store } = rig.custodian.context;
  for (const ranOut of [false, true]) {
    const made = await depositTestJob(rig, organisation, { retryOn: ['interruption'], mounts: ['mounted'] });
    const { job } = made.body;
    const first = grantBody(controlPlane, agent, made, { attempt: 1 });
    assert.equal((await ask(agent, first)).result, 'granted');
    assert.equal((await ask(agent, first)).result, 'granted', 'asked again before the fence');
    assert.ok((await read()).length > 0);
    if (ranOut) leaseEnds.runs({ job, attempt: 1, granted_at: 1, ends_by: 1, stopped: null });
    const fence = signStatement('fence', { v: 1, org, job, attempt: 1, device, at: clock.now() }, [sign]);
    await client.fence(job, fence);
    await client.fence(job, fence);
    const { row, events } = await store.withOrg(org, async (tx) => ({
      row: await tx.selectFrom('attempt').select('ends_by').where('job', '=', job).executeTakeFirst(),
      events: await tx.selectFrom('event').select('body').where('type', '=', 'fenced').execute(),
    }));
    assert.equal(row?.ends_by, FENCED);
    assert.equal(events.filter(({ body }) => Buffer.from(body).includes(job)).length, 1);
    assert.equal((await ask(agent, first)).result, 'refused', 'its own grant is given no more');
    const deadline = performance.now() + 10_000;
    while ((await read().catch(() => [])).length > 0) assert.ok(performance.now() < deadline, 'it reads on');
    assert.equal((await ask(agent, grantBody(controlPlane, agent, made, { attempt: 2 }))).result, 'granted');
    await agent.client.stopped(stoppedBy(agent, made, 2));
  }
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
