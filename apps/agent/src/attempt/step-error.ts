import type { Refusal } from '@ringfence/protocol/messages';
import type { Outcome } from '@ringfence/protocol/statements';

/** How a step of an attempt ends it: a refusal before anything runs, or an outcome. Not an error of the agent. */
export class AttemptEnd extends Error {
  readonly outcome: Outcome;
  readonly refusal: Refusal | undefined;
  /** Names of failed checks, for the log. */
  readonly reasons: readonly string[];

  constructor(end: { outcome: Outcome; refusal?: Refusal; reasons?: readonly string[]; cause?: unknown }) {
    super(end.refusal ?? end.outcome, end.cause === undefined ? undefined : { cause: end.cause });
    this.outcome = end.outcome;
    this.refusal = end.refusal;
    this.reasons = end.reasons ?? [];
  }
}

/** The attempt is not started, for a reason that the control plane may know. */
export function refusedFor(refusal: Refusal, reasons: readonly string[] = [], cause?: unknown): AttemptEnd {
  return new AttemptEnd({ outcome: 'not-started', refusal, reasons, cause });
}
