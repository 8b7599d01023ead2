import type { Isolation } from '@ringfence/protocol';
import type { TierNeeds } from './needs.ts';
import { isolationAtLeast } from './strictness.ts';

/**
 * The isolation that a job gets where `isolations` are present: the best level that is enough. A TEE is used only where one is needed, since
 * a start in one asks for an appraisal, and what costs speed (containers and above) only where more than a sandbox is asked for.
 * Undefined when nothing present is enough.
 */
export function isolationUsed(
  { isolations }: { readonly isolations: readonly Isolation[] },
  needs: TierNeeds | undefined,
): Isolation | undefined {
  const least = needs?.isolation ?? 'process';
  if (isolations.includes('sandbox') && isolationAtLeast('sandbox', least)) return 'sandbox';
  let best: Isolation | undefined;
  for (const isolation of isolations) {
    if (!isolationAtLeast(isolation, least)) continue;
    if (isolation === 'tee' && least !== 'tee') continue;
    if (best === undefined || isolationAtLeast(isolation, best)) best = isolation;
  }
  return best;
}
