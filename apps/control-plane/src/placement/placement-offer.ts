import { readOffer, WHOLE_GPU, type GpuCards, type OfferState } from '@ringfence/policy/placement';
import { addGpus } from './gpu-counts.ts';
import type { StoredOffer } from './offer-rows.ts';

/** What an agent that says nothing of it counts as: a place like no other that was named, the reference machine, a gigabit. */
const UNKNOWN_REGION = 'unknown';
const REFERENCE_SPEED = 1;
const USUAL_NETWORK_MBIT = 1_000;

/** The offer of a row as the placer takes it, or what is wrong with it: then no job goes there. */
export function placementOffer(row: StoredOffer, state: OfferState): ReturnType<typeof readOffer> {
  const { offer, agent, epoch, body } = row;
  const { site, tier, jurisdictions, isolations, tees, hardLimits, diskBytes } = body;
  return readOffer({
    offer,
    agent,
    epoch,
    site,
    tier,
    region: UNKNOWN_REGION,
    jurisdictions,
    isolations,
    tees,
    egress: ['none', 'declared'],
    // Keys come from the custodian alone, everywhere; a host of strangers without a TEE could read them in memory.
    customerKeys: tier !== 'community-cloud' || isolations.includes('tee'),
    hardLimits,
    // Evidence counts once its documents are verified; an offer's own word is not evidence (invariant 4).
    evidence: [],
    free: {
      cpuMilli: row.free_cpu_milli,
      memoryBytes: row.free_memory_bytes,
      diskBytes: row.free_disk_bytes,
      gpus: cardsOf(row),
    },
    ...state,
    diskFull: diskBytes === 0,
    spot: false,
    speed: REFERENCE_SPEED,
    reliability: 1,
    networkMbit: USUAL_NETWORK_MBIT,
  });
}

/** All cards of the machine, those first that are free: the control plane reserves numbers of them, the agent which. */
function cardsOf({ body, free_gpus }: StoredOffer): GpuCards[] {
  return addGpus([], body.gpus, 1).map(({ model, memoryBytes, count }) => {
    const same = free_gpus.find((gpu) => gpu.model === model && gpu.memoryBytes === memoryBytes);
    const free = same?.count ?? 0;
    return { model, memoryBytes, cards: Array.from({ length: count }, (_, card) => (card < free ? WHOLE_GPU : 0)) };
  });
}
