import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sleep } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { startProcess, type ControlPlaneProcess } from './control-plane-process.fixture.ts';
import { startDatabase, temporaryFolder, until } from './control-plane.fixture.ts';
import { FAULT_POINTS } from './fault-points.ts';
import { TestOrganisation, type Submission, type TestLink } from './organisation.fixture.ts';
import type { ControlPlaneClient } from '@ringfence/client/api';

/** Hands the job in until somebody acknowledges it, as a client does whose connection broke. */
async function submitted(client: ControlPlaneClient, submission: Submission) {
  const deadline = systemClock.monotonic() + 20_000;
  for (;;)
    try {
      return await client.submit(submission);
    } catch (error) {
      if (systemClock.monotonic() > deadline) throw error;
      await sleep(systemClock, 50);
    }
}

/** An agent that does what it is leased, and a custodian that commits it. */
function obey(agent: TestLink, custodian: TestLink): string[] {
  const leases: string[] = [];
  agent.onMessage = (message) => {
    if (message.name !== 'lease') return;
    const run = JSON.parse(Buffer.from(message.body.lease.payload, 'base64').toString()) as {
      job: never;
      attempt: number;
    };
    const { job, attempt } = run;
    leases.push(`${String(job)} ${attempt}`);
    for (const state of ['accepted', 'starting', 'running'] as const)
      void agent.send({ name: 'attempt-status', body: { job, attempt, state } });
    void agent
      .send({ name: 'attempt-status', body: { job, attempt, state: 'stopped', outcome: 'succeeded' } })
      .then(() => custodian.send({ name: 'committed', body: { job, attempt } }));
  };
  return leases;
}

test('a control plane that dies at any step loses nothing that it acknowledged and places nothing twice', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const state = temporaryFolder(t);
  const armed = join(temporaryFolder(t), 'armed');
  const fault = `@${armed}`;
  let running: ControlPlaneProcess = await startProcess(t, { state, databaseUrl, fault });
  const port = new URL(running.ready.url).port;
  const house = new TestOrganisation();
  const { client, custodian, agent } = await house.enrol(t, running);
  const leases = obey(agent, custodian);
  for (const point of FAULT_POINTS) {
    writeFileSync(armed, point);
    const submission = house.submission();
    const acknowledged = submitted(client, submission);
    assert.equal((await running.exited).signal, 'SIGKILL', point);
    running = await startProcess(t, { state, databaseUrl, port, fault });
    const { job } = await acknowledged;
    await until(`${point}: succeeded`, async () => (await client.job(job)).state === 'succeeded');
    const { attempts } = await client.job(job);
    assert.deepEqual(
      attempts.map(({ attempt }) => attempt),
      [1],
      fault,
    );
    assert.deepEqual(
      leases.filter((lease) => lease.startsWith(job)),
      [`${job} 1`],
      fault,
    );
    const events = (await client.events(job)).map(({ type }) => type);
    assert.equal(events.filter((type) => type === 'attempt-leased').length, 1, point);
    assert.equal((await client.agents())[0]?.freeCpuMilli, 4000, point);
  }
  running.child.kill('SIGTERM');
  assert.deepEqual(await running.exited, { code: 0, signal: null }, 'a clean stop');
});
