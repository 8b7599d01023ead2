// Follows a job to its end, and what must hold of it whoever died meanwhile.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { readStatement } from '@ringfence/keyring';
import type { JobView } from '@ringfence/protocol/api';
import type { ArmedHouse } from './armed-house.ts';
import { untilTaken, type Ordered } from './order.ts';

const OVER_WITHIN_MS = 60_000;
/** Each look costs the control plane two questions. */
const LOOK_EVERY_MS = 150;
const OVER: readonly JobView['state'][] = ['succeeded', 'failed', 'cancelled'];

/** Waits until the job is over, its commit told and what it held free again. */
export async function untilOver(armed: ArmedHouse, { job }: Ordered, within = OVER_WITHIN_MS): Promise<JobView> {
  const { controlPlane } = armed.session;
  return until(armed, within, async () => {
    const view = await untilTaken(() => controlPlane.job(job));
    if (!OVER.includes(view.state)) return { waiting: `${view.state} ${JSON.stringify(view.attempts.at(-1)?.state)}` };
    const agents = await untilTaken(() => controlPlane.agents());
    const held = agents.find((agent) => agent.freeCpuMilli !== agent.cpuMilli);
    return held === undefined ? { done: view } : { waiting: `${view.state}, but its place is held` };
  });
}

/** Asks until there is an answer; throws with the logs' ends when time is over. */
export async function until<T>(
  { house }: ArmedHouse,
  within: number,
  look: () => Promise<{ done: T } | { waiting: string }>,
): Promise<T> {
  const deadline = performance.now() + within;
  for (;;) {
    const seen = await look();
    if ('done' in seen) return seen.done;
    if (performance.now() > deadline) {
      const ends = [...house.processes.values()].map(
        ({ name, logFile }) => `${name}:\n${readFileSync(logFile, 'utf8').split('\n').slice(-25).join('\n')}`,
      );
      assert.fail(`still waiting: ${seen.waiting}\n${ends.join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/**
 * Asserts: succeeded; known to control plane and custodian; one commit record, of the last granted attempt; one version of its output, the
 * first; attempts numbered without a gap, grants ever higher; nothing of the job runs.
 */
export async function assertCommittedOnce(
  { session }: ArmedHouse,
  ordered: Ordered,
  view: JobView,
  told: string,
): Promise<void> {
  assert.equal(
    view.state,
    'succeeded',
    `${told}: ${JSON.stringify(view.attempts.map(({ attempt, state, outcome }) => ({ attempt, state, outcome })))}`,
  );
  view.attempts.forEach(({ attempt }, index) => assert.equal(attempt, index + 1, 'attempts are numbered in order'));
  const { row, commit, grants, outputs } = await untilTaken(() => session.custodian.job(ordered.job));
  assert.equal(row.committed, true);
  assert.ok(commit !== null, 'the custodian has the commit record');
  const granted = grants.map((grant) => readStatement('grant', grant).claimed.attempt);
  assert.deepEqual(
    granted,
    [...new Set(granted)].toSorted((a, b) => a - b),
    'each attempt is granted once, in order',
  );
  const committed = readStatement('commit', commit).claimed;
  assert.equal(committed.attempt, granted.at(-1), 'the last granted attempt is the one that counts');
  assert.equal(committed.outputs.length, 1);
  assert.deepEqual(
    outputs.map(({ name, version }) => ({ name, version })),
    [{ name: ordered.artifact, version: 1 }],
    'one commit, one version',
  );
  assert.deepEqual(processesOf(ordered), [], 'nothing of the job runs');
}

/** Processes of this machine that carry the job's marker in their environment. */
export function processesOf({ marker }: Ordered): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => environmentOf(pid).includes(marker));
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    // Gone meanwhile.
    return '';
  }
}
