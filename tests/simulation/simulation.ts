import { epochMs, newId, type JobId } from '@ringfence/base';
import { AT_HOME } from '@ringfence/policy/burst';
import { TIERS } from '@ringfence/protocol';
import { newJobFacts } from '../../apps/control-plane/src/jobs/job-transitions.ts';
import type { Books, JobRow } from './books.ts';
import { Chance } from './chance.ts';
import { Custodian } from './custodian.ts';
import { Faults } from './faults.ts';
import { Network } from './network.ts';
import { WALL_START, randomOffer } from './offers.ts';
import { Replicas } from './replicas.ts';
import { SHAPES, type Shape } from './shapes.ts';
import { SimulatedAgent } from './simulated-agent.ts';
import { Timeline } from './timeline.ts';
import { Watch } from './watch.ts';
import type { Breakage } from './breakage.ts';
import { TERMS, type World } from './world.ts';

/** What to simulate. */
export interface SimulationOptions {
  readonly seed: string;
  /** Events until nothing new comes; those of the end come on top. */
  readonly events: number;
  readonly breakage?: Breakage;
}

/** What a simulation came to. */
export interface SimulationResult {
  readonly events: number;
  readonly simulatedMs: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly longestWaitMs: number;
}

const MACHINES = { private: 8, 'secure-cloud': 12, 'community-cloud': 4 } as const;
const HOPELESS = new Set(['restricted, says public', 'greater than any machine']);
const PEAK_MS = 400_000;
const CALM_MS = 800_000;
const FAULT_MS = 30_000;
/** Nothing new comes: so many events and so much time have to be enough to end all that can end. */
const MOST_AT_THE_END = 400_000;
const LONGEST_END_MS = 3 * 3_600_000;
/** All of them with the longest back-off between them are over before the end is. */
const MOST_ATTEMPTS = 30;

/** Runs one simulation; a broken promise is an Error that names seed and event, and the same seed comes to it again. */
export function simulate({ seed, events, breakage }: SimulationOptions): SimulationResult {
  const simulation = new Simulation(seed, breakage);
  let done = 0;
  try {
    while (done < events) {
      simulation.step();
      done += 1;
    }
    const end = simulation.stopArrivals();
    for (let more = 0; more < MOST_AT_THE_END && simulation.world.timeline.now < end && !simulation.idle; more += 1) {
      simulation.step();
      done += 1;
    }
    simulation.watch.drained();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed}, event ${done}: ${what}`, { cause: error });
  }
  const { watch } = simulation;
  const { timeline } = simulation.world;
  return { events: done, simulatedMs: timeline.now, counts: watch.counts, longestWaitMs: watch.longestWaitMs };
}

class Simulation {
  readonly world: World;
  readonly watch: Watch;
  readonly #faults: Faults;
  #wallOffset = 0;
  #arrives = true;
  #gangs = 0;

  constructor(seed: string, breakage: Breakage | undefined) {
    const timeline = new Timeline();
    const chance = new Chance(seed);
    const network = new Network(timeline, chance, { dropPercent: 2, duplicatePercent: 2, straggleMs: 3_000 });
    const parts = { timeline, chance, network, books: emptyBooks(), terms: TERMS, agents: new Map(), breakage };
    const wall = () => epochMs(WALL_START + timeline.now + this.#wallOffset);
    const world = { ...parts, wall, clockSettings: 0, placing: undefined } as unknown as {
      -readonly [Key in keyof World]: World[Key];
    };
    this.world = world;
    this.watch = new Watch(world, HOPELESS);
    world.watch = this.watch;
    this.#makeMachines();
    world.custodian = new Custodian(world);
    const replicas = new Replicas(world);
    world.replicas = replicas;
    Object.defineProperty(world, 'controlPlane', { get: () => replicas.front });
    replicas.start();
    this.#faults = new Faults(world, replicas, (offset) => {
      this.#wallOffset = offset;
      world.clockSettings += 1;
    });
    this.#arriveLater();
    this.#strikeLater();
  }

  /** Nothing is left that could end. */
  get idle(): boolean {
    const { jobs, burst } = this.world.books;
    return burst.away.length === 0 && [...jobs.values()].every(({ shape }) => HOPELESS.has(shape.name));
  }

  step(): void {
    this.world.timeline.step();
    this.watch.afterEvent();
  }

  /** Nothing new comes and everything is mended; returns until when all has to be over. */
  stopArrivals(): number {
    this.#arrives = false;
    this.#faults.heal();
    return this.world.timeline.now + LONGEST_END_MS;
  }

  #makeMachines(): void {
    const { world } = this;
    const home = newId('site', world.chance.rng);
    for (const tier of TIERS)
      for (let count = 0; count < MACHINES[tier]; count += 1) {
        const site = tier === 'private' ? home : newId('site', world.chance.rng);
        const offer = randomOffer(world.chance, { tier, site, cards: count % 3 === 0 });
        world.books.offers.set(offer.offer, offer);
        world.agents.set(offer.agent, new SimulatedAgent(world, offer.agent));
      }
  }

  /** Peaks that home cannot take, and calm between them. */
  #arriveLater(): void {
    const { timeline, chance } = this.world;
    const peak = timeline.now % (PEAK_MS + CALM_MS) < PEAK_MS;
    timeline.after(chance.below(peak ? 3_000 : 24_000), () => {
      if (!this.#arrives) return;
      this.#arrive();
      this.#arriveLater();
    });
  }

  /** Members of a gang are ordered one after the other. */
  #arrive(): void {
    const { chance, timeline } = this.world;
    const shape = weighted(chance);
    if (shape.gang === undefined) return this.#order(shape);
    this.#gangs += 1;
    const gang = { id: this.#gangs, size: shape.gang };
    for (let member = 0; member < gang.size; member += 1)
      timeline.after(chance.below(60_000), () => this.#order(shape, gang));
  }

  #order(shape: Shape, gang?: JobRow['gang']): void {
    const { chance, timeline, watch, custodian, books } = this.world;
    const id: JobId = newId('job', chance.rng);
    // Only a job that runs long shows that nothing ends it.
    const slower = this.world.breakage === 'renew-for-ever' ? 4 : 1;
    const workMs = chance.between(shape.work[0], shape.work[1]) * slower;
    const { type, retryOn } = shape.placement;
    const now = timeline.now;
    const row: JobRow = {
      id,
      shape,
      ...(gang === undefined ? {} : { gang }),
      workMs,
      submittedAt: now,
      facts: newJobFacts({ type, maxAttempts: MOST_ATTEMPTS, retryOn, wanted: true }),
      notBefore: undefined,
      retryReason: undefined,
      retryCounts: {},
      inventorySeen: books.inventory,
      waiting: undefined,
      queuedAt: now,
      lookAt: now,
    };
    watch.submitted(id, { shape, workMs });
    custodian.submit(id, shape);
    this.#submit(row);
  }

  /** A client asks again until the control plane is there. */
  #submit(row: JobRow): void {
    const { controlPlane, timeline } = this.world;
    if (controlPlane.alive && !controlPlane.isPaused) controlPlane.submit(row);
    else timeline.after(2_000, () => this.#submit(row));
  }

  #strikeLater(): void {
    const { timeline, chance } = this.world;
    timeline.after(chance.below(2 * FAULT_MS), () => {
      if (!this.#arrives) return;
      this.#faults.strike();
      this.#strikeLater();
    });
  }
}

function emptyBooks(): Books {
  const books = { jobs: new Map(), attempts: new Map(), offers: new Map(), cordoned: new Set(), locked: new Set() };
  const rows = { versions: new Map(), beats: new Map(), seenAt: new Map(), term: { term: 0, holder: '', beat: 0 } };
  return { ...books, ...rows, burst: AT_HOME, inventory: 0, epoch: 0 } as Books;
}

function weighted(chance: Chance): Shape {
  let left = chance.below(SHAPES.reduce((sum, { weight }) => sum + weight, 0));
  for (const shape of SHAPES) {
    left -= shape.weight;
    if (left < 0) return shape;
  }
  throw new RangeError('weights sum up to less than their sum');
}
