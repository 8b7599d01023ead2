import type { Envelope } from '@ringfence/crypto/sign';
import { readStatement } from '@ringfence/keyring';
import type { RetryReason } from '@ringfence/protocol';
import type { Outcome, PlacementPart } from '@ringfence/protocol/statements';

/** Any of which, wished for, lets another attempt follow; an end that the owner or the job's own time asked for is final. */
const FOLLOWS: Readonly<Record<Outcome, readonly RetryReason[]>> = {
  succeeded: [],
  stopped: [],
  'timed-out': [],
  'not-started': ['no-capacity', 'interruption'],
  interrupted: ['interruption'],
  'lease-lost': ['interruption'],
  failed: ['error'],
  'out-of-memory': ['error'],
  'setup-failed': ['error'],
};

/**
 * Whether the job's owner wants an attempt after this one, by the agent's own signed word of how it ended; one that ended without a word was
 * interrupted. Asked here because a control plane could lease a job again and again (invariant 4).
 */
export function mayFollow(
  previous: { readonly stopped: Envelope | null } | undefined,
  { retryOn = [] }: Pick<PlacementPart, 'retryOn'>,
): boolean {
  if (previous === undefined) return true;
  const { stopped } = previous;
  const outcome = stopped === null ? 'interrupted' : readStatement('stopped', stopped).claimed.outcome;
  return FOLLOWS[outcome].some((reason) => retryOn.includes(reason));
}
