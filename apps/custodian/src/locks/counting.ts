import type { EpochMs } from '@ringfence/base';
import { BY_TWO, USUAL_LONE_OFFICER, type ProposalContext } from '@ringfence/policy/assurance';
import { RULES } from '../access/access-book.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { officersOf } from '../proposals/proposal-terms.ts';

/** What counts at this moment for a lock that is set, confirmed or lifted. */
export function countingForLocks(
  context: Pick<CustodianContext, 'access' | 'clock' | 'locks'>,
  claimed: ClaimedOrganisation,
  now: EpochMs,
): ProposalContext {
  return {
    now,
    officers: officersOf(context, claimed),
    requirement: BY_TWO,
    rules: RULES,
    loneOfficer: USUAL_LONE_OFFICER,
    foundedAt: claimed.foundedAt,
    newestWordAt: claimed.headAt,
  };
}
