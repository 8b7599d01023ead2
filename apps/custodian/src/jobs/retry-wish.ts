import type { Envelope } from '@ringfence/crypto/sign';
import { readStatement } from '@ringfence/keyring';
import { followUp } from '@ringfence/policy';
import type { PlacementPart } from '@ringfence/protocol/statements';

/**
 * Whether the job's owner wants an attempt after this one, by the agent's own signed word of how it ended; one that ended without a word was
 * interrupted. The rule is the control plane's; it is asked here too, because a control plane could lease a job again and again (invariant 4).
 */
export function mayFollow(
  previous: { readonly stopped: Envelope | null } | undefined,
  placement: Pick<PlacementPart, 'type' | 'retryOn'>,
): boolean {
  if (previous === undefined) return true;
  const { stopped } = previous;
  const outcome = stopped === null ? 'interrupted' : readStatement('stopped', stopped).claimed.outcome;
  return followUp(outcome, placement).allow;
}
