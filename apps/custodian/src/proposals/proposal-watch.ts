import { errorFields } from '@ringfence/base';
import { LOOK_EVERY_MS } from '@ringfence/policy/assurance';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { carryOut } from './carry-out.ts';
import { proposalRows, type KeptProposal } from './proposal-rows.ts';
import { step } from './propose.ts';

/** Looks at every open proposal now and every 30 s: delays run by looks, and what a crash left ready is carried out. Gives what ends it. */
export function watchProposals(context: CustodianContext, claimed: ClaimedOrganisation): () => Promise<void> {
  let cancel = (): void => {};
  let stopped = false;
  let looking = Promise.resolve();
  const look = (): void => {
    looking = lookAtProposals(context, claimed).then(() => {
      if (!stopped) cancel = context.clock.after(LOOK_EVERY_MS, look);
    });
  };
  look();
  return async () => {
    stopped = true;
    cancel();
    await looking;
  };
}

/** One look at every open proposal; what fails is logged, and looked at again. */
export async function lookAtProposals(context: CustodianContext, claimed: ClaimedOrganisation): Promise<void> {
  try {
    const open = await context.store.withOrg(claimed.org, (tx) => proposalRows(context, tx, 'open'), {
      readOnly: true,
    });
    for (const kept of open) await lookAt(context, claimed, kept);
  } catch (error) {
    context.log.warn('proposals.unseen', errorFields(error));
  }
}

async function lookAt(context: CustodianContext, claimed: ClaimedOrganisation, kept: KeptProposal): Promise<void> {
  try {
    const seen = await context.store.withOrg(claimed.org, (tx) =>
      step(context, tx, claimed, { kept, event: { type: 'looked' } }),
    );
    if (seen.state.phase === 'ready') await carryOut(context, claimed, seen);
  } catch (error) {
    context.log.warn('proposal.not-carried-out', errorFields(error));
  }
}
