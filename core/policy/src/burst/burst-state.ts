import type { EpochMs, JobId, OfferId } from '@ringfence/base';
import type { Price } from '../placement/placement-offer.ts';
import { EMPTY_LEDGER, type BudgetLedger } from './budget-ledger.ts';
import type { Pressure } from './pressure.ts';

/** An attempt away from home that may be alive. */
export interface AttemptAway {
  readonly job: JobId;
  readonly attempt: number;
  readonly offer: OfferId;
  readonly since: EpochMs;
  /** It may be tried again after an interruption, and writes checkpoints. */
  readonly movable: boolean;
  /** It was told to stop so that it goes on at home. */
  readonly moving: boolean;
}

/** An offer away from home on which jobs of the organisation ran, until it is given back. */
export interface OfferInUse {
  readonly offer: OfferId;
  readonly phase: 'used' | 'cordoned' | 'emptied';
  /** Jobs whose data was there. */
  readonly jobs: readonly JobId[];
  readonly emptiedAt: EpochMs | null;
  readonly deletionSigned: boolean;
  readonly keysShredded: boolean;
}

/** Where burst and return are. */
export interface BurstState {
  readonly gate: 'closed' | 'open';
  /** When the gate last changed; null before it ever did. */
  readonly changedAt: EpochMs | null;
  /** Looks in a row that found the queue so. */
  readonly row: { readonly pressure: Pressure; readonly looks: number };
  readonly away: readonly AttemptAway[];
  readonly offers: readonly OfferInUse[];
  readonly ledger: BudgetLedger;
}

/** Nothing has left home yet. */
export const AT_HOME: BurstState = {
  gate: 'closed',
  changedAt: null,
  row: { pressure: 'low', looks: 0 },
  away: [],
  offers: [],
  ledger: EMPTY_LEDGER,
};

/** One attempt by its fencing token. */
interface AttemptName {
  readonly job: JobId;
  readonly attempt: number;
}

/** What happens to burst and return. */
export type BurstEvent =
  | { readonly type: 'looked'; readonly now: EpochMs; readonly pressure: Pressure }
  /** A job was placed away from home; in the same transaction as its placement. */
  | ({
      readonly type: 'placed';
      readonly now: EpochMs;
      readonly offer: OfferId;
      readonly price: Price | undefined;
      readonly maxDurationMs: number;
      readonly movable: boolean;
    } & AttemptName)
  | ({ readonly type: 'checkpointed'; readonly now: EpochMs } & AttemptName)
  /** It is known that the attempt runs no more. */
  | ({ readonly type: 'ended'; readonly now: EpochMs } & AttemptName)
  | { readonly type: 'deletion-signed' | 'keys-shredded'; readonly now: EpochMs; readonly offer: OfferId };

/** What the rim has to do; `signedBy` of each is in {@link BURST_SIGNATURES}. */
export type BurstCommand =
  | { readonly type: 'open' | 'close' }
  | { readonly type: 'cordon' | 'uncordon'; readonly offer: OfferId }
  | ({ readonly type: 'move' } & AttemptName)
  | { readonly type: 'ask-deletion' | 'shred-keys'; readonly offer: OfferId; readonly jobs: readonly JobId[] }
  | { readonly type: 'release'; readonly offer: OfferId; readonly deletion: 'signed' | 'missing' };

/** What is signed in carrying out a command, and by whom. */
export interface BurstSignature {
  readonly by: 'control-plane' | 'provider-agent' | 'custodian';
  readonly what: 'decision' | 'stop' | 'stopped' | 'receipt-and-lease' | 'deletion' | 'key-destruction';
}

const DECISION: BurstSignature = { by: 'control-plane', what: 'decision' };

/** The signatures that each command needs; a deletion is what its provider says, not a proof. */
export const BURST_SIGNATURES: Readonly<Record<BurstCommand['type'], readonly BurstSignature[]>> = {
  open: [DECISION],
  close: [DECISION],
  cordon: [DECISION],
  uncordon: [DECISION],
  move: [
    { by: 'control-plane', what: 'stop' },
    { by: 'provider-agent', what: 'stopped' },
    { by: 'control-plane', what: 'receipt-and-lease' },
  ],
  'ask-deletion': [{ by: 'provider-agent', what: 'deletion' }],
  'shred-keys': [{ by: 'custodian', what: 'key-destruction' }],
  release: [DECISION],
};
