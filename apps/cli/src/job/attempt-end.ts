import type { JobView } from '@ringfence/protocol/api';
import type { RefusedGrant } from '@ringfence/protocol/payload';
import { table } from '../terminal.ts';
import type { NameOf } from '../placement/explanation-lines.ts';
import { CHECK_REASONS, GRANT_REASONS, REFUSAL_REASONS, STOP_REASONS, type Reason } from './refusal-text.ts';

type Attempt = JobView['attempts'][number];
/** What came between an attempt and its own end, as the control plane lists it. */
export type AttemptEnd = Pick<Attempt, 'refusal' | 'stopCause'>;

/** A job's attempts in a table, by the names of their servers. */
export function attemptTable(attempts: readonly Attempt[], nameOf: NameOf): string {
  const cells = attempts.map((row) => [
    String(row.attempt),
    row.state,
    row.outcome ?? '',
    whyShort(row),
    nameOf(row.agent),
  ]);
  return table(['ATTEMPT', 'STATE', 'OUTCOME', 'WHY', 'SERVER'], cells);
}

/** Why an attempt came to nothing or was ended, in a word; empty where nobody said. */
export function whyShort({ refusal, stopCause }: AttemptEnd): string {
  if (refusal !== undefined) return refusal;
  return stopCause === undefined || stopCause === 'requested' ? '' : stopCause;
}

/**
 * Why an attempt was refused, or told to stop by nobody's wish, and what to do next: the custodian's own reason where it refused the grant.
 * `isOver`: no attempt of the job follows. Undefined for one that ended otherwise.
 */
export function endReason(attempt: Attempt, refused?: RefusedGrant, isOver = false): Reason | undefined {
  const { attempt: number, agent, refusal, stopCause } = attempt;
  if (refusal !== undefined) {
    const by = refusal === 'grant-refused' && refused?.agent === agent ? grantReason(refused) : undefined;
    const { what, next } = by ?? REFUSAL_REASONS[refusal];
    return { what: `attempt ${number} was refused (${refusal}): ${what}`, next };
  }
  if (stopCause === undefined || stopCause === 'requested' || stopCause === 'committed') return undefined;
  const over = attempt.state === 'stopped' || attempt.state === 'expired';
  return {
    what: `attempt ${number} ${over ? 'was' : 'is'} told to stop (${stopCause}): ${STOP_REASONS[stopCause]}`,
    next: isOver
      ? 'launch it again; `retry: {on: [interruption]}` in its file lets another attempt follow by itself'
      : 'nothing: another attempt follows by itself',
  };
}

function grantReason({ reason, checks }: RefusedGrant): Reason {
  const [first] = checks;
  const known = first === undefined ? undefined : CHECK_REASONS[first];
  const { what, next } = known ?? GRANT_REASONS[reason];
  return { what: `the custodian granted nothing (${[reason, ...checks].join(', ')}): ${what}`, next };
}
