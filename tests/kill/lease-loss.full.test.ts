// Invariant 5: without its control plane an agent ends a job by its own monotonic clock, and no two attempts ever run at once.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { JobView } from '@ringfence/protocol/api';
import { readLog, withAgent } from '../../apps/cli/src/job/agent-client.ts';
import { startArmedHouse, type ArmedHouse } from './armed-house.ts';
import { untilRuns } from './interruption.ts';
import { assertCommittedOnce, processesOf, until, untilOver } from './job-outcome.ts';
import { orderJob, type Ordered } from './order.ts';

/** The terms of docs: a lease, how often it is renewed, how long before its end the job is told, what the control plane adds. */
const LEASE_MS = 30_000;
const RENEWED_EVERY_MS = 10_000;
const TOLD_BEFORE_MS = 5_000;
const GRACE_MS = 15_000;
/** Killing a tree and looking at it takes a moment. */
const MARGIN_MS = 2_000;
/** Says several times a second that it runs: the first attempt for longer than a lease, the next ones for a moment. */
const RUN =
  'test $RINGFENCE_ATTEMPT = 1 && for=55 || for=3; end=$(( $(date +%s) + for )); while [ $(date +%s) -lt $end ]; do echo mark $(date +%s%3N); sleep 0.1; done; echo ran > /out/result';

test('a control plane that freezes for longer than a lease: killed in time, tried again, never two at once', async () => {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-lease-'));
  const armed = await startArmedHouse(root, 2);
  const controlPlane = armed.house.process('control-plane');
  try {
    const ordered = await orderJob(armed, { run: RUN, retry: '{on: [interruption], max: 2}' });
    await untilRuns(armed, ordered);
    await untilRenewed(armed, ordered);
    controlPlane.kill('SIGSTOP');
    const frozen = performance.now();
    await until(armed, LEASE_MS + MARGIN_MS, () => goneOrNot(ordered));
    const ranOn = performance.now() - frozen;
    assert.ok(ranOn <= LEASE_MS + MARGIN_MS, `it ran on for ${ranOn} ms`);
    assert.ok(ranOn >= LEASE_MS - RENEWED_EVERY_MS - TOLD_BEFORE_MS - MARGIN_MS, `it was ended after ${ranOn} ms`);
    // Time itself is what is tested: woken any sooner, the control plane would still hold the lease for good.
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS + GRACE_MS + MARGIN_MS - ranOn));
    controlPlane.kill('SIGCONT');
    const view = await untilOver(armed, ordered, 150_000);
    const ends = JSON.stringify(view.attempts.map(({ state, outcome }) => ({ state, outcome })));
    assert.ok(view.attempts.length >= 2, `${view.state} ${ends}`);
    assert.ok(
      ['lease-lost', null].includes(view.attempts[0]?.outcome ?? null),
      `it ended as ${view.attempts[0]?.outcome}`,
    );
    await assertCommittedOnce(armed, ordered, view, 'frozen control plane');
    await assertApart(armed, view);
  } finally {
    controlPlane.kill('SIGCONT');
    await armed.close();
    rmSync(root, { recursive: true, force: true });
  }
});

/** A renewal, so that the end of the lease is not that of its first term. */
async function untilRenewed(armed: ArmedHouse, { job }: Ordered): Promise<void> {
  const leaseUntil = async (): Promise<number> =>
    (await armed.session.controlPlane.job(job)).attempts[0]?.leaseUntil ?? 0;
  const first = await leaseUntil();
  await until(armed, 2 * RENEWED_EVERY_MS, async () =>
    (await leaseUntil()) > first ? { done: true } : { waiting: 'for the lease to be renewed' },
  );
}

async function goneOrNot(ordered: Ordered): Promise<{ done: true } | { waiting: string }> {
  return processesOf(ordered).length === 0 ? { done: true } : { waiting: 'for the job to be killed' };
}

/** The marks of each attempt end before those of the next begin. */
async function assertApart(armed: ArmedHouse, view: JobView): Promise<void> {
  const marks = [];
  for (const { attempt, agent } of view.attempts) marks.push(await marksOf(armed, view, { attempt, agent }));
  const ran = marks.filter((times) => times.length > 0);
  assert.ok(ran.length >= 2, 'both attempts ran');
  ran.slice(1).forEach((times, index) => {
    const last = ran[index]?.at(-1) ?? Number.POSITIVE_INFINITY;
    assert.ok(last < (times[0] ?? 0), `attempts overlap: ${last} and ${times[0]}`);
  });
}

function marksOf(
  { context, session }: ArmedHouse,
  { job }: JobView,
  { attempt, agent }: Pick<JobView['attempts'][number], 'attempt' | 'agent'>,
): Promise<number[]> {
  return withAgent(context, session, agent, async (link) => {
    const times: number[] = [];
    for await (const line of readLog(link, { job, attempt, from: 0, follow: false }))
      if (line.kind === 'line')
        times.push(...Array.from(line.text.matchAll(/mark (\d{13})/g), ([, time]) => Number(time)));
    return times;
  });
}
