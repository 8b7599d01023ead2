// What else may die while a job runs: its agent, and the database servers below control plane and custodian.
import assert from 'node:assert/strict';
import type { ArmedHouse } from './armed-house.ts';
import { assertCommittedOnce, processesOf, until, untilOver } from './job-outcome.ts';
import { serverPid, type Role } from './ledgers.ts';
import { orderJob, untilTaken, type Ordered, type Wish } from './order.ts';

const RUNS_WITHIN_MS = 30_000;
/** Long enough to be killed in, short enough to be waited for. */
const RUN = 'sleep 2; echo ran > /out/result';

/** Kills the agent while a job runs that wishes to be tried again after an interruption: the second attempt commits. */
export async function killAgentAndRetry(armed: ArmedHouse): Promise<void> {
  const { ordered, old } = await killAgentDuring(armed, { retry: '{on: [interruption], max: 2}' });
  const view = await untilOver(armed, ordered);
  // The commit may be told before the second attempt's own end.
  assert.deepEqual([view.attempts.length, view.attempts[0]?.outcome], [2, 'interrupted']);
  await assertCommittedOnce(armed, ordered, view, 'agent killed while a job ran');
  assert.ok(old.length > 0);
}

/** The same without a wish to be tried again: one attempt, and the reason is told. */
export async function killAgentWithoutRetry(armed: ArmedHouse): Promise<void> {
  const { ordered } = await killAgentDuring(armed, { retry: 'none' });
  const view = await untilOver(armed, ordered);
  assert.equal(view.state, 'failed');
  assert.deepEqual(
    view.attempts.map(({ attempt, outcome }) => ({ attempt, outcome })),
    [{ attempt: 1, outcome: 'interrupted' }],
  );
  const { row, commit, outputs } = await untilTaken(() => armed.session.custodian.job(ordered.job));
  assert.deepEqual([row.committed, commit, outputs], [false, null, []]);
  const { code, stdout } = await armed.house.cli(['status', ordered.job]);
  assert.equal(code, 0);
  assert.match(stdout, /failed[\s\S]*interrupted/);
}

/** Kills a database server while a job runs; nobody lends a hand. */
export async function killDatabase(armed: ArmedHouse, role: Role): Promise<void> {
  const ordered = await orderJob(armed, { run: RUN });
  await untilRuns(armed, ordered);
  const before = await serverPid(armed, role);
  process.kill(before, 'SIGKILL');
  const view = await untilOver(armed, ordered);
  await assertCommittedOnce(armed, ordered, view, `PostgreSQL of ${role}`);
  assert.notEqual(await serverPid(armed, role), before);
}

/** Kills the relay while a job runs: its results still reach the custodian. */
export async function killRelay(armed: ArmedHouse): Promise<void> {
  const ordered = await orderJob(armed, { run: RUN });
  await untilRuns(armed, ordered);
  await armed.house.kill('relay');
  await armed.house.restart('relay');
  const view = await untilOver(armed, ordered);
  await assertCommittedOnce(armed, ordered, view, 'relay');
  assert.equal(view.attempts.length, 1, 'the job itself was not touched');
}

/** Kills every process and both database servers at once while a job runs, as a power cut does, and starts them all again. */
export async function killAll(armed: ArmedHouse): Promise<void> {
  const ordered = await orderJob(armed, { run: RUN });
  await untilRuns(armed, ordered);
  const servers = await Promise.all((['control-plane', 'custodian'] as const).map((role) => serverPid(armed, role)));
  const names = [...armed.house.processes.keys()];
  for (const pid of servers) process.kill(pid, 'SIGKILL');
  await Promise.all(names.map((name) => armed.house.kill(name)));
  for (const name of names) await armed.house.restart(name);
  const view = await untilOver(armed, ordered);
  await assertCommittedOnce(armed, ordered, view, 'everything at once');
}

async function killAgentDuring(armed: ArmedHouse, wish: Wish): Promise<{ ordered: Ordered; old: string[] }> {
  const ordered = await orderJob(armed, { run: RUN, ...wish });
  const old = await untilRuns(armed, ordered);
  await armed.house.kill('agent-1');
  await armed.house.restart('agent-1');
  const left = processesOf(ordered).filter((pid) => old.includes(pid));
  assert.deepEqual(left, [], 'an agent that is ready has ended what its predecessor left');
  return { ordered, old };
}

/** Its processes, once the control plane knows that it runs. */
export async function untilRuns(armed: ArmedHouse, ordered: Ordered): Promise<string[]> {
  return until(armed, RUNS_WITHIN_MS, async () => {
    const { state } = await untilTaken(() => armed.session.controlPlane.job(ordered.job));
    const running = processesOf(ordered);
    assert.ok(!['succeeded', 'failed'].includes(state), 'the job ran unseen');
    return state === 'running' && running.length > 0 ? { done: running } : { waiting: `to run, it is ${state}` };
  });
}
