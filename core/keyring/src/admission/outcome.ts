import type { AgentId, JobId } from '@ringfence/base';
import type { Envelope, SigningPublicKey } from '@ringfence/crypto/sign';
import type { Decision } from '@ringfence/policy';
import type { Keyring } from '../chain/keyring.ts';
import type { Verified } from '../statement.ts';
import { tryRead, tryVerify } from './open.ts';

/** Why the word of an attempt's end, or a commit record, does not count. */
export type OutcomeReason = 'malformed' | 'signature' | 'org' | 'job' | 'attempt' | 'agent';

/** The attempt that a statement must be about. */
export interface Attempt {
  readonly job: JobId;
  readonly attempt: number;
  readonly agent: AgentId;
}

/** By whose keys an outcome is judged; no clock: what was done stays done when the clock that dated it is set right. */
export interface OutcomeContext {
  readonly keyring: Keyring;
}

/**
 * Whether `envelope` is the agent's own word that nothing of `attempt` runs any more. The word of an agent that was removed
 * counts no longer: its attempt ends with its lease (invariant 5).
 */
export function checkStopped(
  envelope: Envelope,
  attempt: Attempt,
  { keyring }: OutcomeContext,
): Decision<OutcomeReason, { stopped: Verified<'stopped'> }> {
  const read = tryRead('stopped', envelope);
  const stopped = tryVerify(read, ({ agent }) => signKeyOf(keyring, agent));
  if (stopped === undefined) return unopened(read);
  const reasons = mismatches(stopped.body, attempt, keyring);
  return reasons.length === 0 ? { allow: true, stopped } : { allow: false, reasons };
}

/**
 * Whether `envelope` is a custodian's commit record of `attempt`. Records are read long after the delegation that they were
 * signed under has ended, so the delegation must have held when the record says it was made; a custodian removed as lost,
 * compromised or cloned takes its records with it.
 */
export function checkCommit(
  envelope: Envelope,
  attempt: Attempt,
  { keyring }: OutcomeContext,
): Decision<OutcomeReason, { commit: Verified<'commit'> }> {
  const read = tryRead('commit', envelope);
  const commit = tryVerify(read, ({ custodian, at }) => keyring.delegatedKeys('commit', at, custodian));
  if (commit === undefined) return unopened(read);
  const reasons = mismatches(commit.body, attempt, keyring);
  return reasons.length === 0 ? { allow: true, commit } : { allow: false, reasons };
}

function unopened(read: object | undefined): { allow: false; reasons: OutcomeReason[] } {
  return { allow: false, reasons: [read === undefined ? 'malformed' : 'signature'] };
}

function mismatches(body: Verified<'stopped' | 'commit'>['body'], attempt: Attempt, keyring: Keyring): OutcomeReason[] {
  const holds: readonly (readonly [OutcomeReason, boolean])[] = [
    ['org', body.org === keyring.org],
    ['job', body.job === attempt.job],
    ['attempt', body.attempt === attempt.attempt],
    ['agent', body.agent === attempt.agent],
  ];
  return holds.flatMap(([reason, good]) => (good ? [] : [reason]));
}

function signKeyOf(keyring: Keyring, agent: AgentId): SigningPublicKey[] {
  const entry = keyring.agent(agent);
  return entry === undefined ? [] : [entry.sign];
}
