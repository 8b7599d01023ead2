import { TIERS, type Tier } from '@ringfence/protocol';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { needsAt } from '../needs.ts';
import type { PlacementLabel } from '../placement-limits.ts';

/** The tiers to which a job may go when home is full, by its placement and its label; none for a job that may not burst. */
export function burstTiers(placement: PlacementPart, label: PlacementLabel): readonly Tier[] {
  if (!placement.tiers.includes('private')) return [];
  return awayTiers(placement, label);
}

/** The tiers away from home where a job may run at all, whether or not it has a home. */
export function awayTiers(placement: PlacementPart, label: PlacementLabel): readonly Tier[] {
  return TIERS.filter((tier) => tier !== 'private' && needsAt(placement, label, tier) !== undefined);
}
