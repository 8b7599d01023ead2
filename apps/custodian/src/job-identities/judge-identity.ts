import type { AgentId, EpochMs } from '@ringfence/base';
import type { Decision } from '@ringfence/policy';
import { LONGEST_IDENTITY_MS, type IdentityRefusal } from '@ringfence/protocol/payload';

/** What an agent asks. */
export interface AskedIdentity {
  readonly agent: AgentId;
  readonly attempt: number;
  readonly audience: string;
  /** What is left of the lease. */
  readonly leaseMs: number;
}

/** What the custodian knows of the attempt, all of it as of now. */
export interface IdentityFacts {
  /** The newest attempt of the job that was granted, and to whom. */
  readonly current: { readonly attempt: number; readonly agent: AgentId };
  readonly stopped: boolean;
  readonly fenced: boolean;
  readonly shredded: boolean;
  /** The job is over without a result. */
  readonly closed: boolean;
  readonly committed: boolean;
  /** The grant is of the epoch that this custodian is in. */
  readonly sameEpoch: boolean;
  /** A lock holds on agent, site, device or member. */
  readonly locked: boolean;
  /** The job's device is a member whose jobs may start. */
  readonly mayStart: boolean;
  /** The grant is this custodian's, for this very job file. */
  readonly grantHolds: boolean;
  /** No lease of this attempt is longer, as its grant knows. */
  readonly longestLeaseMs: number;
  /** What the job file asks for. */
  readonly audiences: readonly string[];
}

/** Seconds since 1970 between which a token is good (RFC 7519, NumericDate). */
export interface IdentityLife {
  readonly from: number;
  readonly until: number;
  /** From now. */
  readonly lifetimeMs: number;
}

/**
 * Whether an attempt is given a token now, and for how long: never past what is left of its lease, and never longer than the lease that it was granted with or 15 minutes. All reasons
 * against it are told at once, but to whoever does not run it only that.
 */
export function judgeIdentity(
  asked: AskedIdentity,
  facts: IdentityFacts,
  now: EpochMs,
): Decision<IdentityRefusal, IdentityLife> {
  const { current } = facts;
  if (current.agent !== asked.agent || current.attempt !== asked.attempt)
    return { allow: false, reasons: ['not-current'] };
  const life = lifeOf(Math.min(asked.leaseMs, facts.longestLeaseMs), now);
  const against: readonly (readonly [IdentityRefusal, boolean])[] = [
    ['stopped', facts.stopped],
    ['fenced', facts.fenced],
    ['closed', facts.closed],
    ['committed', facts.committed],
    ['epoch', !facts.sameEpoch],
    ['shredded', facts.shredded],
    ['locked', facts.locked],
    ['device-removed', !facts.mayStart],
    ['bad-grant', !facts.grantHolds],
    ['audience', !facts.audiences.includes(asked.audience)],
    ['lease-over', life.lifetimeMs < 1_000],
  ];
  const reasons = against.filter(([, holds]) => holds).map(([reason]) => reason);
  return reasons.length > 0 ? { allow: false, reasons } : { allow: true, ...life };
}

/** Whole seconds, both ends rounded down: a token ends no later than it may. */
function lifeOf(leaseMs: number, now: EpochMs): IdentityLife {
  const until = Math.floor((now + Math.min(leaseMs, LONGEST_IDENTITY_MS)) / 1_000);
  return { from: Math.floor(now / 1_000), until, lifetimeMs: until * 1_000 - now };
}
