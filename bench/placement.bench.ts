import { Inventory, Placer, type PlacementRequest, type Take } from '@ringfence/policy/placement';
import { durableRows } from './placement/durable.ts';
import { BenchMarket } from './placement/market.ts';
import { PUBLISHED } from './placement/published.ts';
import { loadNow, overRepeats, percentile } from './measure.ts';
import type { Row } from './row.ts';

export const description =
  'explained decisions, in memory (placed, reserved, given back) at 1,000 to 100,000 offers, and durable (receipt, lease, ledger in PostgreSQL)';

const SIZES = [
  { offers: 1_000, kinds: 200, goal: null },
  { offers: 10_000, kinds: 200, goal: { atLeast: 30_000 } },
  { offers: 10_000, kinds: 2_000, goal: null },
  { offers: 100_000, kinds: 200, goal: { atLeast: 10_000 } },
  { offers: 100_000, kinds: 2_000, goal: null },
] as const;
const SHAPES = 200;
const REPEATS = 5;
const WARM_UP = 3_000;
const DECISIONS = 6_000;
/** Each its own amounts: nothing that was counted before helps. */
const DISTINCT = 300;
const CORE_US = 1e6;
const rate = { unit: '1/s', goal: null, peer: null } as const;
const time = { unit: 'ms', goal: null, peer: null } as const;
/** Rows `memory_per_s` (a core second), `p50_ms`, `p99_ms` (wall), and `distinct_per_s` where no two jobs are alike. */
export async function* run(): AsyncGenerator<Row> {
  for (const { offers, kinds, goal } of SIZES) {
    const market = new BenchMarket(`placement ${offers} ${kinds}`);
    const inventory = new Inventory();
    inventory.load(market.offers(offers, kinds));
    const house = new House(inventory, market);
    house.decide(WARM_UP);
    const repeats = Array.from({ length: REPEATS }, () => house.decide(DECISIONS));
    const { median, spreadPercent } = overRepeats(repeats.map(({ perCoreSecond }) => perCoreSecond));
    const walls = repeats.flatMap(({ ms }) => ms);
    const params = {
      offers,
      classes: inventory.classes.length,
      job_shapes: SHAPES,
      placed_percent: Math.round((100 * house.placed) / house.asked),
      load: loadNow(),
    };
    yield {
      ...rate,
      name: 'memory_per_s',
      value: median,
      params: { ...params, spread_percent: spreadPercent },
      goal,
      peer: PUBLISHED,
    };
    yield { ...time, name: 'p50_ms', value: percentile(walls, 0.5), params };
    yield { ...time, name: 'p99_ms', value: percentile(walls, 0.99), params };
    const distinct = house.decide(DISTINCT, (request, at) => withAmount(request, at));
    yield { ...rate, name: 'distinct_per_s', value: distinct.perCoreSecond, params };
  }
  yield* durableRows();
}

/** Another job than any before: a few thousandths of a CPU more. */
function withAmount(request: PlacementRequest, at: number): PlacementRequest {
  const { resources } = request.placement;
  const cpuMilli = resources.cpuMilli + 1 + at;
  return { ...request, placement: { ...request.placement, resources: { ...resources, cpuMilli } } };
}

/** A placer whose jobs come and go: as many run as there are offers at the most, the oldest ends first. */
class House {
  placed = 0;
  asked = 0;
  readonly #inventory: Inventory;
  readonly #placer: Placer;
  readonly #market: BenchMarket;
  readonly #shapes: readonly PlacementRequest[];
  readonly #running: { offer: Parameters<Inventory['reserve']>[0]; take: Take }[] = [];
  #ended = 0;

  constructor(inventory: Inventory, market: BenchMarket) {
    this.#inventory = inventory;
    this.#market = market;
    this.#placer = new Placer(inventory, { currency: 'EUR' });
    this.#shapes = market.shapes(SHAPES);
  }

  /** Decides `count` jobs, drawn before the clock starts: decisions a core second, and the wall time of each in ms. */
  decide(
    count: number,
    change: (request: PlacementRequest, at: number) => PlacementRequest = (request) => ({ ...request }),
  ): { perCoreSecond: number; ms: number[] } {
    const jobs = Array.from({ length: count }, (_, at) => change(this.#market.pick(this.#shapes), at));
    const ms: number[] = [];
    const start = process.cpuUsage();
    for (const job of jobs) {
      const begin = performance.now();
      this.#one(job);
      ms.push(performance.now() - begin);
    }
    const { user, system } = process.cpuUsage(start);
    return { perCoreSecond: (count * CORE_US) / (user + system), ms };
  }

  #one(job: PlacementRequest): void {
    const { decision } = this.#placer.place(job);
    this.asked += 1;
    if (!decision.allow) return;
    const { offer, take } = decision.chosen;
    if (!this.#inventory.reserve(offer, take)) throw new Error('what was chosen was not there');
    this.placed += 1;
    this.#running.push({ offer, take });
    if (this.#running.length - this.#ended <= this.#inventory.size / 2) return;
    const oldest = this.#running[this.#ended];
    this.#ended += 1;
    if (oldest !== undefined) this.#inventory.release(oldest.offer, oldest.take);
  }
}
