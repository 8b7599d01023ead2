import type { JobId, MonotonicMs, OfferId } from '@ringfence/base';
import { backOff } from '@ringfence/policy';
import { Inventory, Placer } from '@ringfence/policy/placement';
import { LEASE_GRACE_MS, LEASE_TTL_MS, isOnline } from '../../apps/control-plane/src/jobs/clock-terms.ts';
import {
  JOB_TRANSITIONS,
  stepJob,
  type JobCommand,
  type JobEvent,
  type JobFacts,
} from '../../apps/control-plane/src/jobs/job-transitions.ts';
import { watchLeases, type SeenLeases } from '../../apps/control-plane/src/jobs/silent-leases.ts';
import { liveRows, type AttemptRow, type JobRow } from './books.ts';
import { BurstDesk, SIMULATED_ORG } from './burst-desk.ts';
import { placeWaiting } from './place-waiting.ts';
import { SimulatedTerm } from './placer-term.ts';
import type { Beat } from './beat.ts';
import { CONTROL_PLANE, CUSTODIAN, type Plane, type Report, type World } from './world.ts';

const PASS_MS = 500;
const RANK = { leased: 0, accepted: 1, starting: 2, running: 3, expired: 3, stopped: 4, refused: 4 } as const;

/**
 * One process of the control plane: the rim of what `apps/control-plane/src/jobs` does with its tables, around the same transitions, placer and lease watch. What it
 * keeps outside the books is gone when it dies.
 */
export class ControlPlane implements Plane {
  readonly world: World;
  readonly inventory: Inventory;
  readonly placer: Placer;
  readonly desk: BurstDesk;
  readonly name: string;
  /** A killed process does nothing more, whatever was put in for it. */
  alive = true;
  /** Set by a fault: it dies in its next placement, after the reservation in memory and before the books. */
  diesPlacing = false;
  /** Only to subtract what is held. */
  readonly #bare = new Inventory();
  /** What was read of each offer, by its row's version. */
  readonly #known = new Map<OfferId, number>();
  readonly #term: SimulatedTerm;
  #pausedUntil = 0;
  #leases: SeenLeases = new Map();
  #passDue = false;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.#term = new SimulatedTerm(world.books.term, name, world.breakage);
    this.inventory = new Inventory(world.books.epoch);
    this.placer = new Placer(this.inventory, { currency: 'EUR', mostFits: 32, mostTallies: 64 });
    this.desk = new BurstDesk(this);
    this.#bringUpToDate();
    this.#tick(0);
  }

  /** The term that it believes to hold. */
  get term(): number | undefined {
    return this.#term.believed;
  }

  get isPaused(): boolean {
    return this.world.timeline.now < this.#pausedUntil;
  }

  /** Stands still for so long, and goes on as if no time had passed. */
  pause(ms: number): void {
    this.#pausedUntil = this.world.timeline.now + ms;
    this.world.replicas.changed();
    this.world.timeline.after(ms, () => this.world.replicas.changed());
  }

  /** An offer's row is another one now, and this process knows it. */
  changed(id: OfferId): void {
    const { versions } = this.world.books;
    versions.set(id, (versions.get(id) ?? 0) + 1);
    this.#known.set(id, versions.get(id) ?? 0);
  }

  /** An offer as it has to be in the inventory: what the books say, less what live attempts hold. */
  offerNow(id: OfferId) {
    const { offers, cordoned, locked } = this.world.books;
    const offer = offers.get(id);
    if (offer === undefined) throw new Error('no such offer');
    this.#bare.put(offer);
    for (const row of liveRows(this.world.books)) if (row.offer === id) this.#bare.reserve(id, row.take);
    const free = this.#bare.find(id)?.free ?? offer.free;
    const online = isOnline(this.world.books.seenAt.get(offer.agent) ?? null, this.world.wall());
    return { ...offer, free, online, draining: cordoned.has(id), locked: locked.has(id) };
  }

  /** An offer that came in anew, or whose state changed. */
  refresh(id: OfferId): void {
    this.#touch(id);
    this.#raise();
  }

  submit(row: JobRow): void {
    this.world.books.jobs.set(row.id, row);
    this.world.books.attempts.set(row.id, []);
    this.change(row, { kind: 'validated' });
  }

  /** Renews the leases of the agent's live attempts and answers. */
  heartbeat(beat: Beat): void {
    const { network, agents, books } = this.world;
    const last = books.beats.get(beat.agent);
    if (last !== undefined && (beat.boot < last.boot || (beat.boot === last.boot && beat.sentAt <= last.sentAt)))
      return;
    books.beats.set(beat.agent, beat);
    books.seenAt.set(beat.agent, this.world.wall());
    const leases = liveRows(this.world.books).filter((row) => {
      // No lease outlasts what the budget covers.
      const end = this.world.breakage === 'renew-for-ever' ? undefined : row.coveredUntil;
      return row.agent === beat.agent && (end === undefined || this.world.wall() + LEASE_TTL_MS <= end);
    });
    for (const row of leases) row.renewals += 1;
    const named = leases.map(({ job, attempt }) => ({ job, attempt }));
    network.send(CONTROL_PLANE, beat.agent, () => agents.get(beat.agent)?.renewed(named, beat));
  }

  report({ job, attempt, agent, state, outcome, refusal }: Report): void {
    const row = this.rowOf(job, attempt);
    const jobRow = this.world.books.jobs.get(job);
    if (row === undefined || jobRow === undefined || row.agent !== agent || RANK[state] <= RANK[row.state]) return;
    Object.assign(row, { state, outcome });
    if (state === 'running') row.runningAt = this.world.timeline.now;
    if (state === 'stopped' || state === 'refused') this.desk.over(row);
    const newer = this.world.books.attempts.get(job)?.filter((other) => other.attempt > attempt) ?? [];
    if (newer.some((other) => state !== 'stopped' || other.state !== 'refused')) return;
    const event: JobEvent =
      state === 'refused'
        ? { kind: 'refused', noRoom: refusal === 'capacity' }
        : state === 'stopped'
          ? { kind: 'stopped', outcome: outcome ?? 'interrupted' }
          : { kind: state };
    const moved = this.change(jobRow, event);
    if (!moved && row.live && (state === 'stopped' || state === 'refused')) this.#endAttempt(jobRow);
  }

  committed(job: JobId, attempt: number): void {
    const row = this.world.books.jobs.get(job);
    if (row !== undefined) this.change(row, { kind: 'committed', attempt });
  }

  /** One event of a job, with everything that follows. */
  change(row: JobRow, event: JobEvent): boolean {
    const step = stepJob({ ...row.facts, earlierWord: this.#earlierWord(row) }, event);
    if (step === undefined) return false;
    const before = row.facts.state;
    row.facts = { ...row.facts, state: step.state };
    if (step.state === 'queued' && before !== 'queued') {
      row.queuedAt = this.world.timeline.now;
      row.lookAt = row.queuedAt;
      row.waiting = undefined;
    }
    for (const command of step.commands) this.#obey(row, command, step.cause);
    if (JOB_TRANSITIONS[step.state].length === 0 && JOB_TRANSITIONS[before].length > 0)
      this.world.watch.finished(row, step.state);
    return true;
  }

  #earlierWord({ id, facts }: JobRow): JobFacts['earlierWord'] {
    const rows = this.world.books.attempts.get(id) ?? [];
    return rows.findLast(({ attempt, state }) => attempt < facts.attempts && state !== 'refused')?.outcome;
  }

  rowOf(job: JobId, attempt: number): AttemptRow | undefined {
    return this.world.books.attempts.get(job)?.find((row) => row.attempt === attempt);
  }

  /** Looks at all waiting jobs a little later; several reasons make one look. */
  placeSoon(): void {
    if (this.#passDue) return;
    this.#passDue = true;
    this.#later(PASS_MS, () => {
      this.#passDue = false;
      if (this.#term.believed === undefined) return;
      // Its transaction finds another's term in the row, and commits nothing.
      if (!this.#term.isHeld && this.world.breakage !== 'place-without-term') return;
      this.world.placing = this;
      this.#bringUpToDate();
      placeWaiting(this);
      this.world.books.epoch = this.inventory.epoch;
    });
  }

  sendStop(row: AttemptRow, why: 'stopped' | 'interrupted'): void {
    if (row.stopSent) return;
    row.stopSent = true;
    const jobRow = this.world.books.jobs.get(row.job);
    if (jobRow !== undefined && row.live) jobRow.facts = { ...jobRow.facts, stopSent: true };
    const { network, agents } = this.world;
    network.sure(CONTROL_PLANE, row.agent, () => agents.get(row.agent)?.stop(row, why));
  }

  #obey(row: JobRow, command: JobCommand, cause: JobRow['retryReason']): void {
    const { network } = this.world;
    const live = this.world.books.attempts.get(row.id)?.find((attempt) => attempt.live);
    switch (command) {
      case 'end-attempt':
        return this.#endAttempt(row);
      case 'send-stop':
      case 'send-stop-committed':
      case 'send-stop-superseded':
        return live === undefined ? undefined : this.sendStop(live, 'stopped');
      case 'tell-failed':
      case 'tell-cancelled':
        return network.sure(CONTROL_PLANE, CUSTODIAN, () => this.world.custodian.close(row.id));
      case 'back-off':
        return this.#backOff(row, cause);
      case 'place':
        return this.world.replicas.wake();
      case 'note-wanted':
      case 'note-unwanted':
        return;
      default:
        return command satisfies never;
    }
  }

  #backOff(row: JobRow, cause: JobRow['retryReason']): void {
    if (cause === undefined) throw new Error('nothing is put off without a cause');
    const { timeline, books, chance } = this.world;
    const last = books.attempts.get(row.id)?.at(-1);
    const ranMs = last?.runningAt === undefined ? 0 : timeline.now - last.runningAt;
    const { counts, delayMs } = backOff({ counts: row.retryCounts, cause, ranMs, rng: chance.rng });
    Object.assign(row, { retryCounts: counts, retryReason: cause, inventorySeen: books.inventory });
    row.notBefore = timeline.now + delayMs;
  }

  #endAttempt(row: JobRow): void {
    const live = this.world.books.attempts.get(row.id)?.find((attempt) => attempt.live);
    row.facts = { ...row.facts, attemptLives: false, stopSent: false };
    if (live === undefined) return;
    live.live = false;
    this.#touch(live.offer);
    this.#raise();
  }

  #raise(): void {
    this.world.books.inventory += 1;
    this.world.replicas.wake();
  }

  /** Whoever places reads its row again. */
  #touch(id: OfferId): void {
    const { versions } = this.world.books;
    versions.set(id, (versions.get(id) ?? 0) + 1);
  }

  #bringUpToDate(): void {
    const { offers, versions } = this.world.books;
    for (const id of offers.keys()) {
      const version = versions.get(id) ?? 0;
      if (this.#known.get(id) === version) continue;
      this.#known.set(id, version);
      this.inventory.put(this.offerNow(id));
    }
  }

  #sweep(): void {
    const { books, timeline, breakage } = this.world;
    const now = timeline.now as MonotonicMs;
    const rows = liveRows(books).filter((row) => books.jobs.get(row.job)?.shape.placement.onPartition === 'stop');
    const leases = rows.map(({ job, attempt, renewals }) => ({ org: SIMULATED_ORG, job, attempt, renewals }));
    const silence = breakage === 'second-attempt' ? 2_000 : LEASE_TTL_MS + LEASE_GRACE_MS;
    const watched = watchLeases(this.#leases, leases, { now, silence });
    this.#leases = watched.seen;
    for (const { job, attempt } of watched.silent) this.#lose(job, attempt);
    for (const row of books.jobs.values()) {
      const due = row.notBefore !== undefined && row.notBefore <= now;
      const room = row.retryReason === 'no-capacity' && books.inventory > row.inventorySeen;
      if (row.facts.state === 'queued' && row.notBefore !== undefined && (due || room)) {
        row.notBefore = undefined;
        row.lookAt = now;
        this.placeSoon();
      }
    }
    this.#noteWhoIsThere();
    this.desk.sweep();
  }

  #lose(job: JobId, attempt: number): void {
    const row = this.rowOf(job, attempt);
    const jobRow = this.world.books.jobs.get(job);
    if (row === undefined || jobRow === undefined) return;
    row.state = 'expired';
    this.desk.over(row);
    this.change(jobRow, { kind: 'lease-expired' });
    this.change(jobRow, { kind: 'requeued' });
  }

  #noteWhoIsThere(): void {
    for (const [id, { agent }] of this.world.books.offers) {
      const known = this.inventory.find(id)?.offer.online;
      if (known !== isOnline(this.world.books.seenAt.get(agent) ?? null, this.world.wall())) this.refresh(id);
    }
  }

  /** Once a second: the term every other time, the sweep of who holds it, its look at the queue every fifth. */
  #tick(count: number): void {
    if (count % 2 === 0 && this.#term.speak(this.world.timeline.now)) this.placeSoon();
    if (this.#term.isHeld && count > 0) {
      this.#sweep();
      if (count % 5 === 0) this.desk.look();
    }
    this.#later(1_000, () => this.#tick(count + 1));
  }

  #later(ms: number, run: () => void): void {
    const { timeline, chance } = this.world;
    timeline.after(ms, () => {
      if (!this.alive) return;
      if (!this.isPaused) return run();
      this.#later(this.#pausedUntil - timeline.now + chance.below(200), run);
    });
  }
}
