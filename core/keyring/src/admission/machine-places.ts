import { residencyCovers, residencyOf } from '@ringfence/policy';
import type { AgentEntry } from '../chain/entries.ts';

/**
 * Where an agent's machine stands: what the keyring says, narrowed by the machine's `own` word at home alone. Away from home the keyring's
 * places are the laws of operator and site together, and none of them ends where another is named. Nowhere in particular (empty) when the
 * keyring says nothing, or when the two contradict.
 */
export function machinePlaces({ jurisdictions, admitted }: AgentEntry, own: readonly string[]): readonly string[] {
  if (jurisdictions.length === 0 || own.length === 0) return jurisdictions;
  if (!residencyCovers(residencyOf(jurisdictions), own)) return [];
  return admitted === undefined ? own : jurisdictions;
}
