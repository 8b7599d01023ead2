import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlacementRequest } from '@ringfence/policy/placement';
import { cpuSeconds, treeCpuSeconds } from '../control-plane/process-cost.ts';
import { diskFdatasyncPerS, diskRow, durableGoal } from '../disk.ts';
import { overRepeats } from '../measure.ts';
import type { Row } from '../row.ts';
import { startDurableHouse, type DurableHouse } from './durable-house.ts';
import { BenchMarket } from './market.ts';

const SIZES = [
  { offers: 1_000, turns: 5, goal: null },
  { offers: 10_000, turns: 5, goal: { atLeast: 5_000 } },
] as const;
const KINDS = 200;
const SHAPES = 200;
const REPEATS = 5;
/** As many as the control plane places in one transaction. */
const IN_TURN = 32;

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
    // Loads the inventory.
    await house.place(await house.submit(pick(IN_TURN)));
    const leasedBefore = await house.leased();
    const costs = { own: cpuSeconds(process.pid), database: treeCpuSeconds(house.databasePid) };
    const rates: number[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat += 1) rates.push(await rateOf(house, pick(IN_TURN * turns)));
    const count = REPEATS * IN_TURN * turns;
    const each = (before: number, after: number) => Number((((after - before) / count) * 1e3).toFixed(2));
    const { median, spreadPercent } = overRepeats(rates);
    return {
      name: 'durable_per_s',
      value: median,
      unit: '1/s',
      goal: goal === null ? null : durableGoal(goal, fdatasyncPerS),
      peer: null,
      params: {
        offers,
        in_turn: IN_TURN,
        placed_percent: Math.round((100 * ((await house.leased()) - leasedBefore)) / count),
        // With the making of jobs, which is not in the rate.
        own_cpu_ms_each: each(costs.own, cpuSeconds(process.pid)),
        database_cpu_ms_each: each(costs.database, treeCpuSeconds(house.databasePid)),
        spread_percent: spreadPercent,
      },
    };
  } finally {
    await house.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

async function rateOf(house: DurableHouse, shapes: readonly PlacementRequest[]): Promise<number> {
  const jobs = await house.submit(shapes);
  const begin = performance.now();
  for (let at = 0; at < jobs.length; at += IN_TURN) await house.place(jobs.slice(at, at + IN_TURN));
  return (jobs.length * 1e3) / (performance.now() - begin);
}

/** Rows have no verified evidence in them: jobs that may leave home are public. */
function withoutEvidence({ placement, label, ...request }: PlacementRequest): PlacementRequest {
  const { evidence: _, ...part } = placement;
  const sensitivity = part.tiers.length === 1 && part.tiers[0] === 'private' ? label.sensitivity : 'public';
  return { ...request, placement: part, label: { ...label, sensitivity } };
}
