// Breaks a house in batches of a few faults at a time; after each it must recover by itself, and is then looked at.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { assertOneCommitEach, assertWireVerified } from '../kill/ledgers.ts';
import { untilTaken } from '../kill/order.ts';
import type { ChaosHouse } from './chaos-house.ts';
import { breakIt } from './faults.ts';
import { assertKept } from './proof.ts';
import { drawFault, type Draw, type Fault } from './schedule.ts';
import { startWorkload } from './workload.ts';

const BATCH = 20;
/** How many faults may overlap. */
const LANES = 3;
/** Longest wait between two attempts of a job (5 minutes) is not reached; this is what recovery may take without a person. */
const RECOVERS_WITHIN_MS = 180_000;

/** How much to break. */
export interface Amount {
  readonly faults: number;
  readonly long: boolean;
  readonly draw: Draw;
}

/** What happened. */
export interface Tally {
  readonly kinds: Map<string, number>;
  done: number;
  jobs: number;
  lines: number;
  refused: number;
}

/** Breaks the house `faults` times; throws at the first promise that is not kept. */
export async function runBatches(
  chaos: ChaosHouse,
  root: string,
  { faults, long, draw }: Amount,
  note: (text: string) => void,
): Promise<Tally> {
  const tally: Tally = { kinds: new Map(), done: 0, jobs: 0, lines: 0, refused: 0 };
  for (let batch = 1; tally.done < faults; batch += 1) {
    const folder = join(root, `jobs-${batch}`);
    mkdirSync(folder);
    const workload = startWorkload(chaos, folder);
    const until = Math.min(faults, tally.done + BATCH);
    await breakUntil(chaos, { until, long, draw, tally }, note);
    const began = performance.now();
    await workload.drain(RECOVERS_WITHIN_MS);
    await recovered(chaos, began);
    const took = ((performance.now() - began) / 1000).toFixed(1);
    note(
      `batch ${batch}: ${tally.done} faults, ${workload.promised.length} jobs, ${workload.refused.length} orders not taken, recovered after ${took} s`,
    );
    for (const text of new Set(workload.refused)) note(`  not taken: ${text}`);
    const open = workload.promised.filter(({ view }) => view?.state !== 'succeeded');
    for (const { job, view } of open)
      note(
        `  not over: ${job} ${view?.state} ${JSON.stringify(view?.attempts.map(({ state, outcome }) => [state, outcome]))}`,
      );
    for (const job of workload.promised) await assertKept(chaos, job);
    if (workload.promised.length > 0) await assertOneCommitEach(chaos);
    await assertWireVerified(chaos);
    tally.jobs += workload.promised.length;
    tally.refused += workload.refused.length;
    tally.lines += workload.promised.reduce(
      (sum, { shown }) => sum + shown.reduce((all, { lines }) => all + lines.length, 0),
      0,
    );
    rmSync(folder, { recursive: true, force: true });
  }
  return tally;
}

/** Does faults in lanes until `until` of them are done, all taken back at the end. */
async function breakUntil(
  chaos: ChaosHouse,
  { until, long, draw, tally }: { until: number; long: boolean; draw: Draw; tally: Tally },
  note: (text: string) => void,
): Promise<void> {
  const busy = new Set<string>();
  let begun = tally.done;
  const next = (): Fault => {
    for (;;) {
      const fault = drawFault(draw, chaos.targets, { number: begun + 1, long });
      if (!busy.has(`${fault.kind} ${fault.target}`)) return fault;
    }
  };
  const lane = async (): Promise<void> => {
    while (begun < until) {
      const fault = next();
      const key = `${fault.kind} ${fault.target}`;
      begun += 1;
      busy.add(key);
      await pause(fault.after);
      const undo = await untilBroken(chaos, fault);
      note(`fault ${fault.number}: ${key} ${fault.how} ${fault.holds} ms`);
      await pause(fault.holds);
      undo();
      busy.delete(key);
      tally.done += 1;
      tally.kinds.set(fault.kind, (tally.kinds.get(fault.kind) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** What is down at this moment cannot be broken: waits until it is there. */
async function untilBroken(chaos: ChaosHouse, fault: Fault): Promise<() => void> {
  const deadline = performance.now() + RECOVERS_WITHIN_MS;
  for (;;) {
    const undo = breakIt(chaos, fault);
    if (undo !== undefined) return undo;
    assert.ok(performance.now() < deadline, `${fault.target} did not come back`);
    await pause(100);
  }
}

/** All processes up, both agents connected, and nothing of their room held. */
async function recovered(chaos: ChaosHouse, began: number): Promise<void> {
  for (;;) {
    const agents = await untilTaken(() => chaos.session.controlPlane.agents());
    const free = agents.every((agent) => agent.freeCpuMilli === agent.cpuMilli);
    if (chaos.keeper.allUp() && free) return;
    if (performance.now() - began > 2 * RECOVERS_WITHIN_MS) assert.fail(`not recovered: ${JSON.stringify(agents)}`);
    await pause(200);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
