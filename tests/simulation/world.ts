import type { AgentId, EpochMs } from '@ringfence/base';
import type { BurstTerms } from '@ringfence/policy/burst';
import type { Books } from './books.ts';
import type { Chance } from './chance.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Custodian } from './custodian.ts';
import type { Network } from './network.ts';
import type { SimulatedAgent } from './simulated-agent.ts';
import type { Timeline } from './timeline.ts';
import type { Watch } from './watch.ts';

/** Ways in which a simulation can be told to do wrong, one for each thing that is checked: the check has to find it. */
export const BREAKAGES = [
  'second-attempt',
  'ignore-constraints',
  'ignore-capacity',
  'ignore-budget',
  'restricted-away',
  'false-explanation',
  'forget-a-job',
  'starve-a-job',
  'renew-for-ever',
] as const;
export type Breakage = (typeof BREAKAGES)[number];

export const CONTROL_PLANE = 'control plane';
export const CUSTODIAN = 'custodian';

/** Everything of one simulation. */
export interface World {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly network: Network;
  readonly books: Books;
  readonly terms: BurstTerms;
  readonly agents: Map<AgentId, SimulatedAgent>;
  readonly watch: Watch;
  readonly breakage: Breakage | undefined;
  controlPlane: ControlPlane;
  custodian: Custodian;
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
