import type { AgentId, DeletionId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import type { Decision } from '@ringfence/policy';
import type { NamedAttempt } from '@ringfence/protocol/statements';
import type { Verified } from '../statement.ts';
import { tryRead, tryVerify } from './open.ts';
import type { OutcomeContext } from './outcome.ts';

/** Why an agent's word that it deleted something does not count. */
export type DeletionReason = 'malformed' | 'signature' | 'org' | 'agent' | 'request' | 'attempts';

/** The order that a deletion must answer. */
export interface DeletionOrder {
  readonly request: DeletionId;
  readonly agent: AgentId;
  readonly attempts: readonly NamedAttempt[];
}

/**
 * Whether `envelope` is the agent's own word that it deleted what it held of all attempts of an order. It is a word and no proof: what a machine
 * kept nobody can see. That of an agent that was removed counts no longer.
 */
export function checkDeletion(
  envelope: Envelope,
  order: DeletionOrder,
  { keyring }: OutcomeContext,
): Decision<DeletionReason, { deletion: Verified<'deletion'> }> {
  const read = tryRead('deletion', envelope);
  const deletion = tryVerify(read, ({ agent }) => {
    const entry = keyring.agent(agent);
    return entry === undefined ? [] : [entry.sign];
  });
  if (deletion === undefined) return { allow: false, reasons: [read === undefined ? 'malformed' : 'signature'] };
  const { body } = deletion;
  const said = new Set(body.attempts.map(nameOf));
  const holds: readonly (readonly [DeletionReason, boolean])[] = [
    ['org', body.org === keyring.org],
    ['agent', body.agent === order.agent],
    ['request', body.request === order.request],
    ['attempts', order.attempts.every((attempt) => said.has(nameOf(attempt)))],
  ];
  const reasons = holds.flatMap(([reason, good]) => (good ? [] : [reason]));
  return reasons.length === 0 ? { allow: true, deletion } : { allow: false, reasons };
}

function nameOf({ job, attempt }: NamedAttempt): string {
  return `${job} ${attempt}`;
}
