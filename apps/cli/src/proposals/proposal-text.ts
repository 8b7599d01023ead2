import { statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { readStatement } from '@ringfence/keyring';
import type { ProposalView } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { unitText } from '../privacy/privacy-lines.ts';
import { changeText } from '../marketplace/keyring-proposal.ts';

/** What a proposal would do, as whoever agrees should read it; by the statement itself, not by what the custodian says of it. Throws CliError `not-trusted`. */
export function proposedText({ kind, statement, digest }: ProposalView): string {
  if (statementDigest(statement) !== digest)
    throw new CliError('not-trusted', 'the custodian shows another statement than the one that is proposed', {
      next: 'ask its operator what happened there; agree to nothing',
    });
  if (kind === 'keyring') return changeText(statement);
  if (kind === 'privacy-budget') return budgetText(statement);
  const { seq, cedar } = readStatement('policy', statement).claimed;
  return `policy ${seq}:\n${cedar === '' ? '(forbids nothing)' : cedar}`;
}

function budgetText(statement: Envelope): string {
  const { artifact, before, unit, epsilon, delta, settled } = readStatement('privacy-budget', statement).claimed;
  return [
    `privacy budget of ${artifact}:`,
    `  now  epsilon ${before.epsilon} at delta ${before.delta}, unit ${unitText(before.unit)}`,
    `  then epsilon ${epsilon} at delta ${delta}, unit ${unitText(unit)}`,
    ...(settled === undefined
      ? []
      : [
          `  everything before the newest restore lost at most epsilon ${settled.epsilon}, delta ${settled.delta}: no larger budget was signed until then`,
        ]),
  ].join('\n');
}

/** How far a proposal is. */
export function progressText({ phase, outcome, approvals, waitedMs }: ProposalView): string {
  if (outcome !== null) return outcome;
  if (phase === 'waiting') return `waiting (${Math.floor(waitedMs / 3_600_000)} h have run)`;
  return `${phase} (${approvals.length} agreed)`;
}

/** The proposal called `id`. Throws CliError `not-found`. */
export function proposalOf(proposals: readonly ProposalView[], id: string): ProposalView {
  const found = proposals.find(({ proposal }) => proposal === id);
  if (found !== undefined) return found;
  throw new CliError('not-found', 'there is no such proposal', { next: 'see `ringfence proposal ls`' });
}
