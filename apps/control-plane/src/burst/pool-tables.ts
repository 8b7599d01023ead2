import type { AgentId, DeletionId, JobId, OfferId, OrgId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import type { OfferInUse, Pressure } from '@ringfence/policy/burst';
import type { NamedAttempt } from '@ringfence/protocol/statements';
import type { ColumnType, Generated } from 'kysely';

type Json<T> = ColumnType<T, string, string>;

/** When an organisation's jobs leave home: its newest signed terms, and where gate and budget are. */
export interface PoolTable {
  org: OrgId;
  seq: number;
  /** The pool statement, verified when it came. */
  statement: Json<Envelope>;
  digest: Digest;
  gate: Generated<'closed' | 'open'>;
  changed_at: number | null;
  pressure: Generated<Pressure>;
  looks: Generated<number>;
  period: Generated<number>;
  spent: Generated<number>;
  spent_ever: Generated<number>;
  /** When the organisation first had a pool, or one in this currency: what was before is in no report of what it costs. */
  counted_from: number | null;
  /** How many decisions were signed. */
  decisions: Generated<number>;
}

/** An attempt that was placed while there was a pool; money in millionths of the pool's currency. */
export interface PoolAttemptTable {
  job: JobId;
  attempt: number;
  org: OrgId;
  offer: OfferId;
  agent: AgentId;
  away: boolean;
  since: number;
  /** What it was placed for, an hour; null at home. */
  hour: number | null;
  /** The best price away from home when it was placed; null for a job that may not leave, or where nothing took it. */
  market_hour: number | null;
  period: number | null;
  covered_until: number | null;
  reserved: number | null;
  movable: boolean;
  moving: Generated<boolean>;
  /** When it was known to be over. */
  ended_at: number | null;
  cost: number | null;
  /** The machine was given back since: what it held of this attempt is settled. */
  given_back: Generated<boolean>;
}

/** A machine away from home on which jobs ran, until it is given back. */
export interface AwayOfferTable {
  offer: OfferId;
  org: OrgId;
  agent: AgentId;
  phase: OfferInUse['phase'];
  emptied_at: number | null;
  deletion_signed: Generated<boolean>;
  keys_shredded: Generated<boolean>;
}

/** An order to delete data and destroy keys, and what was answered. */
export interface DeletionOrderTable {
  request: DeletionId;
  org: OrgId;
  offer: OfferId;
  agent: AgentId;
  attempts: Json<readonly NamedAttempt[]>;
  asked_at: number;
  /** The machine waits for it; a later order, or giving back, ends that. */
  open: Generated<boolean>;
  deletion: Json<Envelope> | null;
  deletion_digest: Digest | null;
  shredded: Generated<boolean>;
}

/** A signed decision about burst and return. */
export interface BurstDecisionTable {
  org: OrgId;
  seq: number;
  statement: Json<Envelope>;
}

/** The tables of burst and return. */
export interface PoolTables {
  pool: PoolTable;
  pool_attempt: PoolAttemptTable;
  away_offer: AwayOfferTable;
  deletion_order: DeletionOrderTable;
  burst_decision: BurstDecisionTable;
}
