import { residencyCovers, residencyOf } from '@ringfence/policy';
import type { AgentEntry } from '../chain/entries.ts';

/**
 * Where an agent's machine stands: what the keyring says, narrowed by the machine's `own` word. Nowhere in particular (empty) when the
 * keyring says nothing, or when the two contradict.
 */
export function machinePlaces({ jurisdictions }: AgentEntry, own: readonly string[]): readonly string[] {
  if (jurisdictions.length === 0 || own.length === 0) return jurisdictions;
  return residencyCovers(residencyOf(jurisdictions), own) ? own : [];
}
