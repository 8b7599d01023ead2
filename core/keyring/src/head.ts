import type { CustodianId, EpochMs } from '@ringfence/base';
import type { Digest, Envelope, SigningKey } from '@ringfence/crypto/sign';
import type { Decision } from '@ringfence/policy';
import type { Sensitivity } from '@ringfence/protocol';
import { CLOCK_SKEW_MS, type Keyring } from './chain/keyring.ts';
import { KeyringError } from './keyring-error.ts';
import { readStatement, signStatement, verifyStatement, type Verified } from './statement.ts';

/** How often a custodian signs its keyring's head, in milliseconds. */
export const HEAD_INTERVAL_MS = 900_000;
const MAX_AGE_MS = 86_400_000;
const MAX_AGE_RESTRICTED_MS = 3_600_000;

/**
 * Why a head is not good for a start: not signed by a custodian that may, too old or gone back, of another history
 * than the keyring at hand, or naming statements that the keyring at hand lacks and that must be fetched first.
 */
export type HeadReason = 'bad-head' | 'stale' | 'fork' | 'behind';

/** The newest head that was accepted so far; kept so that none older is ever accepted again. */
export interface HeadMark {
  readonly seq: number;
  readonly epoch: number;
  readonly digest: Digest;
}

/** When a head is judged, and by what. */
export interface HeadRule {
  readonly now: EpochMs;
  /** In milliseconds; {@link headMaxAge}. */
  readonly maxAge: number;
  readonly seen?: HeadMark | undefined;
}

/** How old a head may be for a start with data of this sensitivity, in milliseconds. */
export function headMaxAge(sensitivity: Sensitivity): number {
  return sensitivity === 'restricted' ? MAX_AGE_RESTRICTED_MS : MAX_AGE_MS;
}

/** The custodian's word, signed by its enrolment key, that `keyring` is the newest there is. */
export function signHead(
  keyring: Keyring,
  { custodian, epoch, at }: { custodian: CustodianId; epoch: number; at: EpochMs },
  key: SigningKey,
): Envelope {
  const { seq, digest } = keyring.head;
  return signStatement('keyring-head', { v: 1, org: keyring.org, custodian, seq, digest, epoch, at }, [key]);
}

/** Whether `envelope` shows that `keyring` is current at `rule.now`: no new start without it. */
export function checkHead(
  keyring: Keyring,
  envelope: Envelope,
  rule: HeadRule,
): Decision<HeadReason, { readonly head: Verified<'keyring-head'> }> {
  const head = openHead(keyring, envelope, rule.now);
  if (head === undefined) return { allow: false, reasons: ['bad-head'] };
  const reason = objection(keyring, head.body, rule);
  return reason === undefined ? { allow: true, head } : { allow: false, reasons: [reason] };
}

/** What to keep of an accepted head. */
export function headMark({ body: { seq, epoch, digest } }: Verified<'keyring-head'>): HeadMark {
  return { seq, epoch, digest };
}

function openHead(keyring: Keyring, envelope: Envelope, now: EpochMs): Verified<'keyring-head'> | undefined {
  try {
    const statement = readStatement('keyring-head', envelope);
    if (statement.claimed.org !== keyring.org) return undefined;
    return verifyStatement(statement, keyring.delegatedKeys('head', now, statement.claimed.custodian));
  } catch (error) {
    if (error instanceof KeyringError) return undefined;
    throw error;
  }
}

function objection(
  keyring: Keyring,
  { seq, digest, epoch, at }: Verified<'keyring-head'>['body'],
  { now, maxAge, seen }: HeadRule,
): HeadReason | undefined {
  if (at > now + CLOCK_SKEW_MS || now - at > maxAge) return 'stale';
  if (seen !== undefined) {
    if (seq < seen.seq || epoch < seen.epoch) return 'stale';
    if (seq === seen.seq && digest !== seen.digest) return 'fork';
  }
  if (seq > keyring.head.seq) return 'behind';
  if (seq < keyring.head.seq) return 'stale';
  return digest === keyring.head.digest ? undefined : 'fork';
}
