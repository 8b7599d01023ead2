import { readOffer, WHOLE_GPU, type GpuCards, type OfferState } from '@ringfence/policy/placement';
import { lossBucket, observedMtbf } from '@ringfence/policy/spot';
import { addGpus } from './gpu-counts.ts';
import type { StoredOffer } from './offer-rows.ts';

/** What an agent that says nothing of it counts as: a place like no other that was named, the reference machine, a gigabit. */
const UNKNOWN_REGION = 'unknown';
const REFERENCE_SPEED_MILLI = 1_000;
const USUAL_NETWORK_MBIT = 1_000;

/** The offer of a row as the placer takes it, or what is wrong with it: then no job goes there. */
export function placementOffer(row: StoredOffer, state: OfferState): ReturnType<typeof readOffer> {
  const { offer, agent, epoch, body } = row;
  const { site, tier, jurisdictions, isolations, tees, hardLimits, diskBytes } = body;
  const { vouched } = row;
  for (const field of ['tier', 'site'] as const)
    if (vouched[field] !== null && vouched[field] !== body[field])
      return { allow: false, reasons: [{ field, fault: 'not-as-vouched' }] };
  // To say nowhere in particular is no lie: the least that a machine can claim.
  if (vouched.places !== null && jurisdictions.some((place) => !vouched.places?.includes(place)))
    return { allow: false, reasons: [{ field: 'jurisdictions', fault: 'not-as-vouched' }] };
  return readOffer({
    offer,
    agent,
    epoch,
    site,
    tier,
    region: body.region ?? UNKNOWN_REGION,
    jurisdictions,
    isolations,
    tees,
    egress: ['none', 'declared'],
    // Keys come from the custodian alone, everywhere; a host of strangers without a TEE could read them in memory.
    customerKeys: tier !== 'community-cloud' || isolations.includes('tee'),
    hardLimits,
    evidence: row.evidence,
    free: {
      cpuMilli: row.free_cpu_milli,
      memoryBytes: row.free_memory_bytes,
      diskBytes: row.free_disk_bytes,
      gpus: cardsOf(row),
    },
    ...state,
    diskFull: diskBytes === 0,
    spot: body.spot ?? false,
    ...(body.price === undefined ? {} : { price: body.price }),
    speed: (body.speedMilli ?? REFERENCE_SPEED_MILLI) / 1_000,
    reliability: reliabilityOf(row),
    ...(tier === 'private' ? {} : { lossEvery: lossBucketOf(row) }),
    networkMbit: body.networkMbit ?? USUAL_NETWORK_MBIT,
  });
}

/**
 * The share of attempts that were not lost, as if one more had ended well. Own machines count as faultless: which of them a job
 * gets has never depended on their history, and nobody is paid for it.
 */
function reliabilityOf({ body, ended, lost }: StoredOffer): number {
  return body.tier === 'private' ? 1 : (ended - lost + 1) / (ended + 1);
}

/** One loss in this time is believed in before any was seen. */
const PRIOR_MS = { spot: 86_400_000, onDemand: 30 * 86_400_000 };

function lossBucketOf({ body, ran_ms: ranMs, lost: losses }: StoredOffer): number {
  const priorMs = body.spot === true ? PRIOR_MS.spot : PRIOR_MS.onDemand;
  return lossBucket(observedMtbf({ ranMs, losses, priorMs }));
}

/** All cards of the machine, those first that are free: the control plane reserves numbers of them, the agent which. */
function cardsOf({ body, free_gpus }: StoredOffer): GpuCards[] {
  return addGpus([], body.gpus, 1).map(({ model, memoryBytes, count }) => {
    const same = free_gpus.find((gpu) => gpu.model === model && gpu.memoryBytes === memoryBytes);
    const free = same?.count ?? 0;
    return { model, memoryBytes, cards: Array.from({ length: count }, (_, card) => (card < free ? WHOLE_GPU : 0)) };
  });
}
