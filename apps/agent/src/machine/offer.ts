import type { Isolation } from '@ringfence/protocol';
import { machinePlaces, type AgentEntry } from '@ringfence/keyring';
import type { Offer } from '@ringfence/protocol/messages';
import type { JoinedLink } from '../link/joined-link.ts';
import type { Machine } from './machine.ts';

/** What this machine offers to one control plane; undefined when it cannot keep any job apart. */
export function offerOf(
  { capabilities, capacity, disk, gpus, jurisdictions, terms }: Machine,
  { offer, allowProcess }: JoinedLink,
  entry: AgentEntry,
  epoch: number,
): Offer | undefined {
  const isolations: Isolation[] = [];
  for (const level of ['gvisor', 'container', 'sandbox'] as const)
    if (capabilities[level].available) isolations.push(level);
  if (allowProcess && capabilities.process.available) isolations.push('process');
  if (isolations.length === 0) return undefined;
  return {
    offer,
    site: entry.site,
    epoch,
    tier: entry.tier,
    jurisdictions: [...machinePlaces(entry, jurisdictions)],
    isolations,
    tees: [],
    hardLimits: capabilities.limits.memory === 'hard',
    ...capacity,
    // None at all: a control plane places nothing there.
    ...(disk.isFull() ? { diskBytes: 0 } : {}),
    gpus: gpus.offered,
    evidence: [],
    ...terms,
  };
}
