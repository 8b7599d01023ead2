import type { AgentId, EpochMs, JobId } from '@ringfence/base';
import type { BurstEvent, BurstTerms } from '@ringfence/policy/burst';
import type { ChosenOffer, Inventory, Placement, PlacementRequest, Placer } from '@ringfence/policy/placement';
import type { Refusal } from '@ringfence/protocol/messages';
import type { Outcome } from '@ringfence/protocol/statements';
import type { JobEvent } from '../../apps/control-plane/src/jobs/job-transitions.ts';
import type { AttemptId, MachineEvent, MachineState } from '../../apps/agent/src/attempt/attempt-machine.ts';
import type { AttemptRow, Books, JobRow, WaitingWhy } from './books.ts';
import type { Beat } from './beat.ts';
import type { Breakage } from './breakage.ts';
import type { Chance } from './chance.ts';
import type { Network } from './network.ts';
import type { Shape } from './shapes.ts';
import type { Timeline } from './timeline.ts';

export const CONTROL_PLANE = 'control plane';
export const CUSTODIAN = 'custodian';

/** What an agent says of an attempt. */
export interface Report extends AttemptId {
  readonly agent: AgentId;
  readonly state: 'accepted' | 'starting' | 'running' | 'stopped' | 'refused';
  readonly outcome?: Outcome | undefined;
  readonly refusal?: Refusal | undefined;
}

/** A lease as it arrives: with the heartbeat that it echoes. */
export interface Leased extends AttemptId {
  readonly echo: Beat | undefined;
}

/** What the control plane keeps around burst and return. */
export interface Desk {
  take(event: BurstEvent): boolean;
  checkpointed(job: JobId, attempt: number): void;
}

/** The processes of the control plane, as the others know them. */
export interface Planes {
  readonly front: Plane;
  /** Those that would take something. */
  readonly running: readonly Plane[];
  wake(): void;
  changed(): void;
}

/** A process of the control plane, as its parts and the other parties know it. */
export interface Plane {
  readonly world: World;
  readonly inventory: Inventory;
  readonly placer: Placer;
  readonly desk: Desk;
  readonly name: string;
  readonly term: number | undefined;
  alive: boolean;
  readonly isPaused: boolean;
  diesPlacing: boolean;
  submit(row: JobRow): void;
  heartbeat(beat: Beat): void;
  report(report: Report): void;
  committed(job: JobId, attempt: number): void;
  change(row: JobRow, event: JobEvent): boolean;
  rowOf(job: JobId, attempt: number): AttemptRow | undefined;
  refresh(id: AttemptRow['offer']): void;
  changed(id: AttemptRow['offer']): void;
  placeSoon(): void;
  sendStop(row: AttemptRow, why: 'stopped' | 'interrupted'): void;
}

/** An agent, as the servers know it. */
export interface AgentParty {
  kill(): void;
  restart(): void;
  leased(lease: Leased): void;
  renewed(leases: readonly AttemptId[], beat: Beat): void;
  stop(id: AttemptId, why: 'stopped' | 'interrupted'): void;
}

/** An agent, as the effects of its attempts know it. */
export interface AgentBody {
  readonly id: AgentId;
  readonly world: World;
  readonly honest: boolean;
  readonly boot: number;
  readonly state: MachineState;
  attempt(id: AttemptId): MachineState['live'][number] | undefined;
  take(event: MachineEvent): void;
  report(id: AttemptId, said: Pick<Report, 'state' | 'outcome' | 'refusal'>): void;
  stoppedAs(id: AttemptId, outcome: Outcome): void;
  later(ms: number, then: () => void): void;
}

/** The custodian, as the others know it. */
export interface CustodianParty {
  readonly progress: ReadonlyMap<JobId, number>;
  submit(job: JobId, shape: Shape): void;
  grant(job: JobId, attempt: number, agent: AgentId): boolean;
  stopped(job: JobId, attempt: number, outcome: Outcome): void;
  commit(job: JobId, attempt: number): boolean;
  close(job: JobId): void;
  checkpoint(job: JobId, workMs: number): void;
}

/** Who checks, as those know it that are checked. */
export interface Watcher {
  fail(what: string): never;
  count(what: string): void;
  submitted(job: JobId, known: { readonly shape: Shape; readonly workMs: number }): void;
  shapeOf(job: JobId): Shape | undefined;
  workOf(job: JobId): number | undefined;
  decided(placement: Placement, request: PlacementRequest, breakage: Breakage | undefined): void;
  waits(why: WaitingWhy, request: PlacementRequest): void;
  placed(row: AttemptRow, job: JobRow, of: { chosen: ChosenOffer; coveredMs: number; now: EpochMs }): void;
  over(row: AttemptRow): void;
  started(agent: AgentId, id: AttemptId): void;
  exited(id: AttemptId): void;
  committed(job: JobId): void;
  finished(row: JobRow, state: string): void;
  turn(by: { readonly replica: string; readonly term: number | undefined }): void;
  admits(agent: AgentId, id: AttemptId, live: readonly AttemptId[]): Refusal | undefined;
}

/** Everything of one simulation. */
export interface World {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly network: Network;
  readonly books: Books;
  readonly terms: BurstTerms;
  readonly agents: Map<AgentId, AgentParty>;
  readonly watch: Watcher;
  readonly breakage: Breakage | undefined;
  replicas: Planes;
  /** The replica that takes what comes now. */
  readonly controlPlane: Plane;
  /** The replica that decides now; undefined before the first did. */
  placing: Plane | undefined;
  custodian: CustodianParty;
  /** The control plane's wall clock, which is set now and then. */
  readonly wall: () => EpochMs;
  /** How often it was set. */
  clockSettings: number;
}

/** The reservation that the terms of these simulations make for attempts beside their longest run. */
export const TERMS: BurstTerms = {
  highWaitMs: 60_000,
  highLooks: 3,
  lowWaitMs: 20_000,
  lowLooks: 6,
  cooldownMs: 120_000,
  minLifetimeMs: 60_000,
  mostAtOnce: 24,
  overheadMs: 60_000,
  budget: { microUnits: 4_000_000, currency: 'EUR', periodMs: 3_600_000 },
};
