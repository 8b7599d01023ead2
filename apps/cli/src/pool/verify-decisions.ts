import type { EpochMs } from '@ringfence/base';
import { statementDigest, type Digest, type Envelope } from '@ringfence/crypto/sign';
import {
  checkDeletion,
  KeyringError,
  openControlPlaneKeys,
  readStatement,
  verifyStatement,
  type ControlPlanePin,
  type Keyring,
} from '@ringfence/keyring';
import type { PoolDecisions } from '@ringfence/protocol/api';
import type { BurstDecisionStatement, DeletionStatement } from '@ringfence/protocol/statements';

/** A signed decision, and whether the signature is the pinned control plane's. */
export interface JudgedDecision {
  readonly digest: Digest;
  readonly verified: boolean;
  readonly body: BurstDecisionStatement;
  readonly statement: Envelope;
}

/** A provider's word that it deleted something, and whether it is that agent's own, about what it was asked for. */
export interface JudgedDeletion {
  readonly digest: Digest;
  readonly verified: boolean;
  readonly body: DeletionStatement;
  readonly statement: Envelope;
}

/** By whom decisions and deletions are judged. */
export interface DecisionJudge {
  readonly pin: ControlPlanePin;
  /** The control plane's own statement of its keys. */
  readonly keys: Envelope;
  readonly keyring: Keyring;
  readonly now: EpochMs;
}

/** Reads what the control plane says it decided, and checks each signature. Throws KeyringError for what cannot be read. */
export function verifyDecisions({ decisions }: PoolDecisions, judge: DecisionJudge): JudgedDecision[] {
  const { pin, keys, keyring, now } = judge;
  const named = openControlPlaneKeys(keys, pin, now);
  return decisions.map((statement) => {
    const read = readStatement('burst-decision', statement);
    const body = read.claimed;
    const own = body.org === keyring.org && body.controlPlane === pin.id;
    const verified = own && named !== undefined && holds(() => verifyStatement(read, [named.body.leases]));
    return { digest: statementDigest(statement), verified, body, statement };
  });
}

/** Judges deletions by the keyring, and by the orders among `decisions`: a word about something that nobody asked for does not count. */
export function verifyDeletions(
  { deletions }: PoolDecisions,
  decisions: readonly JudgedDecision[],
  { keyring }: Pick<DecisionJudge, 'keyring'>,
): JudgedDeletion[] {
  const orders = decisions.flatMap(({ body: { decision } }) => (decision.type === 'ask-deletion' ? [decision] : []));
  return deletions.map((statement) => {
    const body = readStatement('deletion', statement).claimed;
    const order = orders.find(({ request }) => request === body.request);
    const verified = order !== undefined && checkDeletion(statement, order, { keyring }).allow;
    return { digest: statementDigest(statement), verified, body, statement };
  });
}

function holds(verify: () => unknown): boolean {
  try {
    verify();
    return true;
  } catch (error) {
    if (error instanceof KeyringError) return false;
    throw error;
  }
}
