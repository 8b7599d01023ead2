import type { AgentId, OfferId, SiteId } from '@ringfence/base';
import type { Isolation, Tier } from '@ringfence/protocol';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { OfferEvidence } from '../offer.ts';

/** One whole GPU in the unit of shares: thousandths. */
export const WHOLE_GPU = 1000;
/** The most kinds of GPU that one offer has. */
export const MOST_GPU_KINDS = 4;
/** The most cards of one kind. */
export const MOST_CARDS = 64;

/** Cards of one kind; memory in bytes a card. */
export interface GpuCards {
  readonly model: string;
  readonly memoryBytes: number;
  /** What is free of each card, in thousandths: 1000 is a whole one. */
  readonly cards: readonly number[];
}

/** What is free at an offer: thousandths of a CPU, bytes, cards. */
export interface FreeCapacity {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpus: readonly GpuCards[];
}

/** Money an hour; thousandths of a thousandth of the currency's unit. */
export interface Price {
  readonly microUnits: number;
  readonly currency: string;
}

/** An offer as the placer knows it; {@link readOffer} is its only way in from outside. */
export interface PlacementOffer {
  readonly offer: OfferId;
  readonly agent: AgentId;
  readonly site: SiteId;
  /** Rises with each sending of the offer. */
  readonly epoch: number;
  readonly tier: Tier;
  /** Where the machine stands, as its provider calls it; only equal or not equal. */
  readonly region: string;
  /** Whose law applies: the operator's and the location's; unknown when empty. */
  readonly jurisdictions: readonly string[];
  readonly isolations: readonly Isolation[];
  readonly tees: PlacementPart['tees'];
  /** What the site can hold a job to. */
  readonly egress: readonly PlacementPart['egress'][];
  /** Data keys there come from the customer's custodian alone. */
  readonly customerKeys: boolean;
  /** Memory limits are enforced by the kernel. */
  readonly hardLimits: boolean;
  /** Verified claims in whose scope the site lies. */
  readonly evidence: readonly OfferEvidence[];
  readonly free: FreeCapacity;
  readonly online: boolean;
  readonly locked: boolean;
  readonly draining: boolean;
  /** Its disk is nearly full: no job fits, not even one that asks for none. */
  readonly diskFull: boolean;
  /** May be taken away at any time. */
  readonly spot: boolean;
  readonly price?: Price;
  /** Work an hour against a reference machine of 1. */
  readonly speed: number;
  /** The share of jobs that its own history lost nothing of, 0 to 1. */
  readonly reliability: number;
  /** Mean time between losses of attempts there, 2ⁿ seconds; of machines away from home. */
  readonly lossEvery?: number;
  /** Megabits a second at which data arrives there. */
  readonly networkMbit: number;
}
