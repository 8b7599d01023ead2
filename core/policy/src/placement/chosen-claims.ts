import type { EpochMs } from '@ringfence/base';
import type { TierNeeds } from '../needs.ts';
import type { OfferEvidence } from '../offer.ts';
import { countingClaims } from './class-constraints.ts';

/** A claim that counted, as receipts name it. */
export interface CountedClaim {
  readonly digest: string;
  readonly issuedAt: EpochMs;
  readonly notAfter: EpochMs;
}

/** The claims that fulfil `need`, one for each standard and for `any`: those that hold longest, then the smallest digest. */
export function chosenClaims(
  claims: readonly OfferEvidence[],
  need: TierNeeds['evidence'],
  span: { readonly now: EpochMs; readonly until: number },
): CountedClaim[] {
  if (need === undefined) return [];
  const good = countingClaims(claims, need, span).toSorted(
    (a, b) => b.notAfter - a.notAfter || (a.digest < b.digest ? -1 : 1),
  );
  const chosen = need.require.flatMap((standard) => good.find((claim) => claim.standard === standard) ?? []);
  if (chosen.length === 0 && need.any) chosen.push(...good.slice(0, 1));
  return [...new Set(chosen)].map(({ digest, issuedAt, notAfter }) => ({ digest, issuedAt, notAfter }));
}
