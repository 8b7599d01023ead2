import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { SigningKey } from '@ringfence/crypto/sign';
import { startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { codeOf, memberOf, offerOf, TestOrganisation } from '../organisation.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { sendRaw, signedRaw } from './raw-request.fixture.ts';

test('the API', async (t) => {
  const database = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: database.url });
  const [ours, theirs] = [new TestOrganisation(), new TestOrganisation()];
  const code = codeOf(controlPlane);
  const { client } = await ours.enrol(t, controlPlane, code);
  const other = await theirs.enrol(t, controlPlane, await printCode(t, controlPlane, database.url));
  const jobs = { method: 'GET', path: '/v1/jobs' } as const;
  const good = (): ReturnType<typeof signedRaw> => signedRaw(ours, clock, jobs);

  await t.test('whoever carries no fresh signature of a known device is refused, in the same words', async () => {
    const stranger = { device: { id: newId('device', systemRng), sign: SigningKey.generate(systemRng) } };
    const thief = { device: { id: ours.device.id, sign: SigningKey.generate(systemRng) } };
    const agent = { device: { id: ours.agent.id as never, sign: ours.agent.sign } };
    const refused = [
      { ...jobs },
      signedRaw(stranger, clock, jobs),
      signedRaw(thief, clock, jobs),
      signedRaw(agent, clock, jobs),
      signedRaw(ours, clock, jobs, { createdAgo: 70 }),
      signedRaw(ours, clock, jobs, { createdAgo: -70 }),
      signedRaw(ours, clock, jobs, { as: theirs.device.id }),
      { ...good(), path: '/v1/jobs?all=1' },
      { ...good(), path: '/v1/agents' },
      { ...good(), headers: { ...good().headers, 'signature-input': 'rf=()' } },
    ];
    const answers = await Promise.all(refused.map((request) => sendRaw(controlPlane, request)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      refused.map(() => 401),
    );
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    assert.equal((await sendRaw(controlPlane, good())).status, 200);
  });

  await t.test('the bytes of a request that changes something are taken once, among 16 at a time', async () => {
    const request = signedRaw(ours, clock, {
      method: 'POST',
      path: '/v1/jobs',
      value: ours.submission({ placement: { tiers: ['private'], isolation: 'microvm' } }),
    });
    const answers = await Promise.all(Array.from({ length: 16 }, () => sendRaw(controlPlane, request)));
    const count = (wanted: number): number => answers.filter(({ status }) => status === wanted).length;
    assert.deepEqual([count(200), count(401)], [1, 15]);
    assert.equal((await sendRaw(controlPlane, request)).status, 401);
  });

  await t.test('another organisation’s rows do not exist, on any route', async () => {
    const { job } = await client.submit(ours.submission({ placement: { isolation: 'microvm' } }));
    const nowhere = newId('job', systemRng);
    for (const tail of ['', '/events', '/stop']) {
      const method = tail === '/stop' ? 'POST' : 'GET';
      const value = tail === '/stop' ? { value: { graceMs: 0 } } : {};
      const ask = (path: string) => sendRaw(controlPlane, signedRaw(theirs, clock, { method, path, ...value }));
      const [real, none] = [await ask(`/v1/jobs/${job}${tail}`), await ask(`/v1/jobs/${nowhere}${tail}`)];
      assert.deepEqual(real, none);
      assert.equal(real.status, 404);
      assert.ok(!real.text.includes(job));
    }
    assert.deepEqual(await other.client.jobs(), []);
    assert.deepEqual(
      (await other.client.agents()).map(({ agent }) => agent),
      [theirs.agent.id],
    );
    const plan = await other.client.plan({ placement: ours.submission().placement, sensitivity: 'internal' });
    assert.deepEqual([plan.considered, plan.chosen?.agent], [1, theirs.agent.id]);
    // Row-level security hides the row from a look; its primary key still refuses a second one.
    await assert.rejects(other.client.submit(theirs.submission({ job })), { code: 'conflict' });
    assert.equal((await client.job(job)).state, 'queued');
  });

  await t.test('a custodian or agent of one organisation changes nothing of another', async () => {
    const before = await client.agents();
    await other.custodian.send({ name: 'member', body: { op: 'remove', id: ours.device.id, keyringSeq: 9 } });
    await other.custodian.send({ name: 'lock', body: { agent: ours.agent.id, reason: 'incident' } });
    await other.custodian.send(memberOf({ id: ours.agent.id, sign: theirs.agent.sign }));
    await other.agent.send(offerOf(ours.agent, { epoch: 9, cpuMilli: 1 }));
    const { job } = await client.submit(ours.submission({ placement: { isolation: 'microvm' } }));
    await other.custodian.send({ name: 'committed', body: { job, attempt: 1 } });
    const marker = newId('device', systemRng);
    await other.custodian.send(memberOf({ id: marker, sign: theirs.device.sign }));
    await until('all of it was taken', () =>
      sendRaw(controlPlane, signedRaw({ device: { id: marker, sign: theirs.device.sign } }, clock, jobs)).then(
        ({ status }) => status === 200,
      ),
    );
    assert.equal((await client.job(job)).state, 'queued');
    assert.deepEqual(
      (await client.agents()).map(({ agent, locked, cpuMilli }) => ({ agent, locked, cpuMilli })),
      before.map(({ agent, locked, cpuMilli }) => ({ agent, locked, cpuMilli })),
    );
  });

  await t.test('wrong fields are named by path, values are not repeated, and large bodies are refused', async () => {
    const value = {
      ...ours.submission(),
      secretword: 'secretvalue',
      placement: { ...ours.submission().placement, priority: 'secretvalue' },
    };
    const answer = await sendRaw(controlPlane, signedRaw(ours, clock, { method: 'POST', path: '/v1/jobs', value }));
    assert.equal(answer.status, 400);
    const { error } = JSON.parse(answer.text) as { error: { problems: { path: string; code: string }[] } };
    assert.deepEqual(error.problems.map(({ path }) => path).toSorted(), ['placement.priority', 'secretword']);
    assert.ok(!answer.text.includes('secretvalue'));
    const large = { ...signedRaw(ours, clock, { method: 'POST', path: '/v1/jobs', value: 'x'.repeat(70_000) }) };
    const refused = await sendRaw(controlPlane, large);
    assert.deepEqual([refused.status, JSON.parse(refused.text).error.code], [413, 'too-much']);
    const garbage = await sendRaw(controlPlane, { method: 'POST', path: '/v1/organisations', body: Buffer.from('{') });
    assert.equal(garbage.status, 400);
    assert.equal((await sendRaw(controlPlane, { method: 'GET', path: '/v2' })).status, 404);
    const text = {
      method: 'POST',
      path: '/v1/organisations',
      headers: { 'content-type': 'text/plain' },
      body: Buffer.from('x'),
    };
    assert.equal((await sendRaw(controlPlane, text)).status, 415);
  });

  await t.test('the same job again is the same answer, under the same id another one is a conflict', async () => {
    const submission = ours.submission({ placement: { isolation: 'microvm' } });
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.submit(submission)));
    assert.equal(new Set(answers.map(({ job }) => job)).size, 1);
    const [{ job } = assert.fail()] = answers;
    const changed = ours.submission({ job, maxAttempts: 2, placement: { isolation: 'microvm' } });
    await assert.rejects(client.submit(changed), { code: 'conflict', status: 409 });
    assert.equal((await client.events(job)).filter(({ type }) => type === 'job-submitted').length, 1);
  });

  await t.test('statements that do not fit together are refused', async () => {
    const [a, b] = [ours.submission(), ours.submission()];
    const wrong = [
      { ...a, label: b.label },
      { ...a, job: b.job },
      { ...a, placement: { ...a.placement, priority: 51 } },
      theirs.submission(),
      ours.submission({ expiresIn: -1 }),
      ours.submission({ labelLonger: -1 }),
      ours.submission({ maxAttempts: 3, placement: { budget: { microUnits: 1, currency: 'EUR', attempts: 2 } } }),
      ours.submission({ placement: { isolation: 'process', tiers: ['private', 'community-cloud'], burst: 'allowed' } }),
      { ...a, job: { ...a.job, signatures: b.job.signatures } },
    ];
    for (const submission of wrong)
      await assert.rejects(client.submit(submission), { code: 'bad-statement', status: 422 });
  });

  await t.test('a removed device is nobody', async () => {
    const late = { device: { id: newId('device', systemRng), sign: SigningKey.generate(systemRng) } };
    const ask = () => sendRaw(controlPlane, signedRaw(late, clock, jobs));
    await other.custodian.send(memberOf({ id: late.device.id, sign: late.device.sign }));
    await until('admitted', () => ask().then(({ status }) => status === 200));
    await other.custodian.send({ name: 'member', body: { op: 'remove', id: late.device.id, keyringSeq: 3 } });
    await until('removed', () => ask().then(({ status }) => status === 401));
  });
});
