import type { EpochMs } from '@ringfence/base';
import type { Isolation } from '@ringfence/protocol';
import { machinePlaces, type AgentEntry } from '@ringfence/keyring';
import type { Offer } from '@ringfence/protocol/messages';
import type { JoinedLink } from '../link/joined-link.ts';
import type { Machine } from './machine.ts';

/** Whether what admitted a machine away from home is over: nothing starts there any more. */
export function isAdmissionOver({ admitted }: AgentEntry, now: EpochMs): boolean {
  return admitted !== undefined && now >= admitted.until;
}

/** What this machine offers to one control plane; undefined when it cannot keep any job apart. */
export function offerOf(
  { capabilities, capacity, disk, gpus, jurisdictions, terms }: Machine,
  { offer, allowProcess }: JoinedLink,
  entry: AgentEntry,
  { epoch, now }: { epoch: number; now: EpochMs },
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
    ...(disk.isFull() || isAdmissionOver(entry, now) ? { diskBytes: 0 } : {}),
    gpus: gpus.offered,
    evidence: [],
    ...terms,
  };
}
