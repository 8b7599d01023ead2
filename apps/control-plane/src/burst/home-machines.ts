import type { EpochMs, OrgId } from '@ringfence/base';
import type { HomeMachine } from '@ringfence/policy/burst';
import type { KeptInventory } from '../placement/kept-inventory.ts';
import { runningAttempts, withCards } from '../queue/running-attempts.ts';
import type { Tx } from '../store/open-store.ts';

/** Whose machines, and when. */
interface HomeSetup {
  readonly org: OrgId;
  readonly now: EpochMs;
}

/** The organisation's own machines that can be used now, what is free of each, and what comes back when. */
export async function homeMachines(tx: Tx, kept: KeptInventory, { org, now }: HomeSetup): Promise<HomeMachine[]> {
  const byOffer = Map.groupBy(await runningAttempts(tx, org, now), ({ offer }) => offer);
  return kept.all().flatMap(({ mark: { offer, state }, found }) => {
    const { online, locked, draining } = state;
    if (found?.offer.tier !== 'private' || !online || locked || draining) return [];
    return [{ offer, free: found.free, running: withCards(byOffer.get(offer) ?? [], found.free) }];
  });
}
