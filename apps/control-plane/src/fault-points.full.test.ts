import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sleep, type JobId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { signStatement } from '@ringfence/keyring';
import type { ControlPlaneClient } from '@ringfence/client/api';
import { openCheckpoint, parseVerifierKey, type TreeHead } from '@ringfence/ledger/tlog';
import { verifyLog } from './audit/verify-log.fixture.ts';
import { startProcess, type ControlPlaneProcess } from './control-plane-process.fixture.ts';
import { startDatabase, temporaryFolder, until as soon } from './control-plane.fixture.ts';
import { FAULT_POINTS, type FaultPoint } from './fault-points.ts';
import { TestOrganisation, type TestLink } from './organisation.fixture.ts';

/** A start on a busy machine. */
const RESTART_MS = 120_000;

/** Asks again until somebody answers, as a client does whose connection broke. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = systemClock.monotonic() + RESTART_MS;
  for (;;)
    try {
      return await ask();
    } catch (error) {
      if (systemClock.monotonic() > deadline) throw error;
      await sleep(systemClock, 50);
    }
}

const until = (what: string, holds: () => Promise<boolean>): Promise<void> => soon(what, holds, RESTART_MS);

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

/** The head of a log that has all events of its ledger. */
async function loggedHead(client: ControlPlaneClient): Promise<TreeHead> {
  let head: TreeHead | undefined;
  await until('a log', async () => {
    const { checkpoint, key, origin } = await client.audit();
    const logKey = parseVerifierKey(key);
    const opened = openCheckpoint(Buffer.from(checkpoint ?? ''), {
      origin,
      logKeys: logKey === undefined ? [] : [logKey],
    });
    head = opened.ok ? opened.signed.checkpoint : undefined;
    return head !== undefined;
  });
  return head ?? assert.fail();
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
  const heads: TreeHead[] = [];
  for (const point of FAULT_POINTS.filter((each) => !each.startsWith('wanted-') && !each.startsWith('fence-'))) {
    writeFileSync(armed, point);
    const submission = house.submission();
    const acknowledged = answered(() => client.submit(submission));
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
    heads.push(await loggedHead(client));
  }
  const verdict = await verifyLog(client, heads);
  assert.ok(verdict.ok, `every head that was ever signed is of one history: ${JSON.stringify(verdict)}`);
  running.child.kill('SIGTERM');
  assert.deepEqual(await running.exited, { code: 0, signal: null }, 'a clean stop');
});

test('a control plane that dies while it takes a wish, an attempt’s end or a fence has taken it once when it is back', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const state = temporaryFolder(t);
  const armed = join(temporaryFolder(t), 'armed');
  const fault = `@${armed}`;
  let running: ControlPlaneProcess = await startProcess(t, { state, databaseUrl, fault });
  const port = new URL(running.ready.url).port;
  const house = new TestOrganisation();
  const { client, custodian, agent } = await house.enrol(t, running);
  agent.onMessage = (message) => {
    if (message.name !== 'stop') return;
    const { job, attempt } = message.body;
    void agent.send({ name: 'attempt-status', body: { job, attempt, state: 'stopped', outcome: 'stopped' } });
  };
  const dies = async (point: FaultPoint, act: () => Promise<unknown>): Promise<void> => {
    writeFileSync(armed, point);
    const acted = act();
    assert.equal((await running.exited).signal, 'SIGKILL', point);
    running = await startProcess(t, { state, databaseUrl, port, fault });
    await acted;
  };
  const view = (job: JobId) => answered(() => client.job(job));
  const is = (job: JobId, wished: string) => until(wished, async () => (await view(job)).state === wished);
  for (const when of ['before', 'after'] as const) {
    const placement = { type: 'serve', onPartition: 'keep' } as const;
    const { job } = await answered(() => client.submit(house.submission({ maxAttempts: 1_000_000, placement })));
    const wish = (wanted: boolean) => custodian.send({ name: 'wanted', body: { job, wanted, graceMs: 0 } });
    await dies(`wanted-${when}-commit`, () => wish(true));
    await is(job, 'leased');
    await dies(`wanted-${when}-commit`, () => wish(false));
    await is(job, 'parked');
    await wish(true);
    await is(job, 'leased');
    // It ends by itself: how long the next one waits is written with its end.
    const ended = { job, attempt: 2, state: 'stopped', outcome: 'failed' } as const;
    await dies(`message-${when}-commit`, () => agent.send({ name: 'attempt-status', body: ended }));
    await until('attempt 3', async () => (await view(job)).attempts.length === 3);
    const body = { v: 1, org: house.org, job, attempt: 3, device: house.device.id, at: systemClock.now() } as const;
    const fence = signStatement('fence', body, [house.device.sign]);
    await dies(`fence-${when}-commit`, () => answered(() => client.fence(job, fence)));
    await until('attempt 4', async () => (await view(job)).attempts.length === 4);
    const events = (await answered(() => client.events(job))).map(({ type }) => type);
    const count = (type: string): number => events.filter((each) => each === type).length;
    assert.deepEqual(
      ['job-wished', 'attempt-leased', 'job-backs-off', 'attempt-fenced'].map(count),
      // Of the ends, the failure and the fence are followed after a while.
      [3, 4, 2, 1],
      when,
    );
    await wish(false);
    await is(job, 'parked');
    assert.equal((await client.agents())[0]?.freeCpuMilli, 4000, when);
  }
});
