import type { OrgId } from '@ringfence/base';
import type { NoiseAgainst } from '../distributed-noise/index.ts';

/** One of the onlookers that a round is counted against. */
export type DebitedView = Exclude<keyof NoiseAgainst, 'roundingDelta'>;

/**
 * By whose view budgets are debited and noise is calibrated. Every client gets each round's model, and knows its own noise: so it is one curious member where organisations have a client each;
 * all others together where one has several, which know the noise of all of theirs, or where no more than one client is sure to add noise. Where all clients are of one organisation nobody
 * else knows any of the noise: outsiders.
 */
export function debitedView(clients: readonly { readonly org: OrgId }[], honestMin: number): DebitedView {
  const organisations = new Set(clients.map(({ org }) => org)).size;
  if (organisations === 1) return 'outsiders';
  return organisations === clients.length && honestMin > 1 ? 'member' : 'others';
}
