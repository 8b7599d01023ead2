import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlacementRequest } from '@ringfence/policy/placement';
import { cpuSeconds, treeCpuSeconds } from '../control-plane/process-cost.ts';
import { diskFdatasyncPerS, diskRow, durableGoal } from '../disk.ts';
import { loadNow, overRepeats } from '../measure.ts';
import type { Row } from '../row.ts';
import { startDurableHouse, type DurableHouse } from './durable-house.ts';
import { BenchMarket } from './market.ts';
import { PUBLISHED } from './published.ts';

const SIZES = [
  { offers: 1_000, turns: 2, goal: null },
  { offers: 10_000, turns: 4, goal: { atLeast: 5_000 } },
  { offers: 100_000, turns: 3, goal: { atLeast: 2_000 } },
] as const;
const KINDS = 200;
const SHAPES = 200;
const REPEATS = 5;
const WARM_UP_TURNS = 3;
/** As many as the control plane places in one transaction. */
const IN_TURN = 256;

/**
 * Rows `durable_per_s`: decisions a second of the wall clock, each with its reservation, attempt, signed receipt and lease, message and ledger
 * entries in a PostgreSQL that syncs its log, by one process that places; with the disk's rate.
 */
export async function* durableRows(): AsyncGenerator<Row> {
  const disk = await diskFdatasyncPerS();
  for (const size of SIZES) yield await measured(size, disk.median);
  yield diskRow(disk);
}

async function measured({ offers, turns, goal }: (typeof SIZES)[number], fdatasyncPerS: number): Promise<Row> {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-durable-'));
  const market = new BenchMarket(`durable ${offers}`);
  const house = await startDurableHouse(root, market.offers(offers, KINDS));
  try {
    const shapes = market.shapes(SHAPES).map(withoutEvidence);
    const pick = (count: number) => Array.from({ length: count }, () => market.pick(shapes));
    // Loads the inventory, and lets the code and the server's plans get warm.
    for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) await placed(house, pick(IN_TURN));
    const leasedBefore = await house.leased();
    const runs: PlacedRun[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat += 1) runs.push(await placed(house, pick(IN_TURN * turns)));
    const count = REPEATS * IN_TURN * turns;
    const each = (seconds: number) => Number(((seconds / count) * 1e3).toFixed(2));
    const { median, spreadPercent } = overRepeats(runs.map(({ perSecond }) => perSecond));
    return {
      name: 'durable_per_s',
      value: median,
      unit: '1/s',
      goal: goal === null ? null : durableGoal(goal, fdatasyncPerS),
      peer: PUBLISHED,
      params: {
        offers,
        in_turn: IN_TURN,
        placed_percent: Math.round((100 * ((await house.leased()) - leasedBefore)) / (count + REPEATS)),
        own_cpu_ms_each: each(runs.reduce((sum, { own }) => sum + own, 0)),
        database_cpu_ms_each: each(runs.reduce((sum, { database }) => sum + database, 0)),
        spread_percent: spreadPercent,
        load: loadNow(),
      },
    };
  } finally {
    await house.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Decisions a second of the wall clock, and the seconds of a core that they took in all. */
interface PlacedRun {
  readonly perSecond: number;
  readonly own: number;
  readonly database: number;
}

async function placed(house: DurableHouse, shapes: readonly PlacementRequest[]): Promise<PlacedRun> {
  await house.release();
  // Reads what was released; that is not measured.
  await house.place(await house.submit(shapes.slice(0, 1)));
  const jobs = await house.submit(shapes);
  const before = { own: cpuSeconds(process.pid), database: treeCpuSeconds(house.databasePid) };
  const begin = performance.now();
  for (let at = 0; at < jobs.length; at += IN_TURN) await house.place(jobs.slice(at, at + IN_TURN));
  return {
    perSecond: (jobs.length * 1e3) / (performance.now() - begin),
    own: cpuSeconds(process.pid) - before.own,
    database: treeCpuSeconds(house.databasePid) - before.database,
  };
}

/** Rows have no verified evidence in them: jobs that may leave home are public. */
function withoutEvidence({ placement, label, ...request }: PlacementRequest): PlacementRequest {
  const { evidence: _, ...part } = placement;
  const sensitivity = part.tiers.length === 1 && part.tiers[0] === 'private' ? label.sensitivity : 'public';
  return { ...request, placement: part, label: { ...label, sensitivity } };
}
