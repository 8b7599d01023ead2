import { epochMs, type JobId, type MonotonicMs, type OfferId, type OrgId } from '@ringfence/base';
import {
  burstTiers,
  predictedWaits,
  pressureOf,
  stepBurst,
  type BurstCommand,
  type BurstEvent,
  type HomeMachine,
  type QueuedJob,
} from '@ringfence/policy/burst';
import type { PlacementOffer } from '@ringfence/policy/placement';
import { inQueueOrder } from '@ringfence/policy/queue';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from '../../apps/control-plane/src/jobs/clock-terms.ts';
import { watchLeases, type SeenLeases } from '../../apps/control-plane/src/jobs/silent-leases.ts';
import { naiveFailures } from '../../core/policy/src/placement/brute-force.fixture.ts';
import { liveRows, placeInQueue, type AttemptRow, type JobRow } from './books.ts';
import type { Shape } from './shapes.ts';
import type { Desk, Plane } from './world.ts';

/** There is one organisation. */
export const SIMULATED_ORG = 'org_simulated' as OrgId;

/** Whether the machine may be used now passes; what is free in the books' offers is all of it. */
const PASSING: ReadonlySet<string> = new Set(['agent-offline', 'agent-locked', 'agent-draining']);

/** What the control plane does around burst and return: looks, commands, and when an attempt away is known to be over. */
export class BurstDesk implements Desk {
  readonly #plane: Plane;
  #leases: SeenLeases = new Map();
  readonly #homes = new Map<Shape, readonly OfferId[]>();

  constructor(plane: Plane) {
    this.#plane = plane;
  }

  /** Takes one event; false when a placement is refused. */
  take(event: BurstEvent): boolean {
    const { books, terms, watch } = this.#plane.world;
    const step = stepBurst(books.burst, event, terms);
    if (!step.allow) return false;
    books.burst = step.state;
    for (const command of step.commands) {
      watch.count(`burst ${command.type}`);
      this.#obey(command);
    }
    return true;
  }

  look(): void {
    const { books, terms, timeline, wall } = this.#plane.world;
    const now = wall();
    const queue = [...books.jobs.values()].filter(({ facts }) => facts.state === 'queued');
    queue.sort((a, b) => inQueueOrder(placeInQueue(a), placeInQueue(b), epochMs(timeline.now)));
    const waits = predictedWaits(
      this.#machines(),
      queue.slice(0, 200).map((row) => this.#queued(row)),
      now,
    );
    const shapes = [...new Set(queue.map(({ shape }) => shape))].filter((shape) => this.#couldLeave(shape));
    const leavers = new Set(shapes);
    const waiting = queue.slice(0, 200).map((row) => ({
      predictedWaitMs: waits.get(row.id) ?? Infinity,
      expectedMs: row.workMs,
      mayBurst: leavers.has(row.shape),
    }));
    const { gate, ledger } = books.burst;
    this.take({ type: 'looked', now, pressure: pressureOf({ now, waiting }, terms) });
    // No change of the inventory says that the gate turned, or that there is new money.
    if (books.burst.gate !== gate || books.burst.ledger.period !== ledger.period) this.#plane.world.replicas.wake();
  }

  checkpointed(job: JobId, attempt: number): void {
    this.take({ type: 'checkpointed', now: this.#plane.world.wall(), job, attempt });
  }

  /** It is known that nothing of an attempt runs any more. */
  over(row: AttemptRow): void {
    if (row.over) return;
    row.over = true;
    const { world } = this.#plane;
    if (!row.away) return;
    world.watch.over(row);
    this.take({ type: 'ended', now: world.wall(), job: row.job, attempt: row.attempt });
    world.replicas.wake();
  }

  /** Attempts that were given up without a word are over when their last lease is; jobs of which nothing may be alive leave the books. */
  sweep(): void {
    const { books, timeline } = this.#plane.world;
    const open = [...books.attempts.values()].flat().filter(({ over }) => !over);
    const leases = open.map(({ job, attempt, renewals }) => ({ org: SIMULATED_ORG, job, attempt, renewals }));
    const terms = { now: timeline.now as MonotonicMs, silence: LEASE_TTL_MS + LEASE_GRACE_MS };
    const { seen, silent } = watchLeases(this.#leases, leases, terms);
    this.#leases = seen;
    for (const { job, attempt } of silent) {
      const row = this.#plane.rowOf(job, attempt);
      if (row?.live === false) this.over(row);
    }
    for (const [job, rows] of books.attempts) {
      const state = books.jobs.get(job)?.facts.state;
      const ended = state === 'succeeded' || state === 'failed' || state === 'cancelled';
      if (!ended || !rows.every((row) => row.over && !row.live)) continue;
      books.jobs.delete(job);
      books.attempts.delete(job);
    }
  }

  #machines(): HomeMachine[] {
    const { books, timeline, wall } = this.#plane.world;
    const rows = liveRows(books);
    return [...books.offers.values()]
      .filter(({ tier }) => tier === 'private')
      .map(({ offer, free }) => ({
        offer,
        free: this.#plane.inventory.find(offer)?.free ?? free,
        running: rows
          .filter((row) => row.offer === offer)
          .map((row) => {
            const work = books.jobs.get(row.job)?.workMs ?? 0;
            return {
              take: row.take,
              endsBy: epochMs(wall() + work - (timeline.now - (row.runningAt ?? timeline.now))),
            };
          }),
      }));
  }

  #queued({ id, shape, workMs }: JobRow): QueuedJob {
    return { job: id, placement: shape.placement, machines: this.#homesOf(shape), expectedMs: workMs };
  }

  /** Machines of the home that could take a shape; what decides that never changes there. */
  #homesOf(shape: Shape): readonly OfferId[] {
    const known = this.#homes.get(shape);
    if (known !== undefined) return known;
    const homes = this.#couldTake(shape).filter(({ tier }) => tier === 'private');
    const ids = homes.map(({ offer }) => offer);
    this.#homes.set(shape, ids);
    return ids;
  }

  #couldLeave(shape: Shape): boolean {
    if (burstTiers(shape.placement, shape.label).length === 0) return false;
    return this.#couldTake(shape).some(({ tier }) => tier !== 'private');
  }

  /** Machines that would take a shape if nothing ran there. */
  #couldTake({ placement, label }: Shape): PlacementOffer[] {
    const { books, wall } = this.#plane.world;
    const request = { placement, label, now: wall() };
    return [...books.offers.values()].filter((offer) =>
      naiveFailures(offer, request).every((failed) => PASSING.has(failed)),
    );
  }

  #obey(command: BurstCommand): void {
    const { world } = this.#plane;
    const { books, chance, timeline } = world;
    switch (command.type) {
      case 'open':
      case 'close':
        return;
      case 'cordon':
        books.cordoned.add(command.offer);
        return this.#plane.refresh(command.offer);
      case 'uncordon':
      case 'release':
        books.cordoned.delete(command.offer);
        return this.#plane.refresh(command.offer);
      case 'move': {
        const row = this.#plane.rowOf(command.job, command.attempt);
        if (row?.live === true) this.#plane.sendStop(row, 'interrupted');
        return;
      }
      case 'ask-deletion': {
        // One provider in ten never signs.
        if (chance.oneIn(10)) return;
        const signed = { type: 'deletion-signed', offer: command.offer } as const;
        return timeline.after(chance.between(500, 60_000), () => this.#current({ ...signed, now: world.wall() }));
      }
      case 'shred-keys': {
        const shredded = { type: 'keys-shredded', offer: command.offer } as const;
        return timeline.after(chance.between(100, 5_000), () => this.#current({ ...shredded, now: world.wall() }));
      }
      default:
        return command satisfies never;
    }
  }

  /** What comes from outside comes to whichever process is there, and is said again until one is. */
  #current(event: BurstEvent): void {
    const { world } = this.#plane;
    if (world.controlPlane.alive) world.controlPlane.desk.take(event);
    else world.timeline.after(5_000, () => this.#current(event));
  }
}
