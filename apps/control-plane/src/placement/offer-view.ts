import { epochMs } from '@ringfence/base';
import { WHOLE_GPU, type GpuCards } from '@ringfence/policy/placement';
import { sha256 } from '@ringfence/protocol';
import type { OfferView } from '@ringfence/protocol/api';
import type { KnownOffer } from './kept-inventory.ts';

/** An offer as those see it who ask what there is. */
export function offerView({ mark, faults, found }: KnownOffer): OfferView {
  const { online, locked, draining } = mark.state;
  const { admitted_until, avoided_until, avoided_for } = mark.standing;
  return {
    offer: mark.offer,
    agent: mark.agent,
    online,
    locked,
    draining,
    offered: found === undefined ? null : offered(found),
    admittedUntil: admitted_until === null ? null : epochMs(admitted_until),
    avoided:
      avoided_until === null || avoided_for === null ? null : { reason: avoided_for, until: epochMs(avoided_until) },
    quarantined: faults.map(({ field, fault }) => ({ field: field.slice(0, 64), fault })),
  };
}

function offered({ offer, free }: NonNullable<KnownOffer['found']>): NonNullable<OfferView['offered']> {
  const { tier, region, hardLimits, diskFull, spot, price, speed, reliability } = offer;
  return {
    tier,
    region,
    jurisdictions: [...offer.jurisdictions],
    isolations: [...offer.isolations],
    tees: [...offer.tees],
    hardLimits,
    diskFull,
    spot,
    price: price ?? null,
    speed,
    reliability,
    evidence: offer.evidence.map(({ digest, standard, grade, notAfter }) => ({
      digest: sha256.parse(digest),
      standard,
      grade,
      notAfter,
    })),
    freeCpuMilli: free.cpuMilli,
    freeMemoryBytes: free.memoryBytes,
    freeDiskBytes: free.diskBytes,
    gpus: free.gpus.map(gpuView),
  };
}

function gpuView({ model, memoryBytes, cards }: GpuCards): NonNullable<OfferView['offered']>['gpus'][number] {
  return { model, memoryBytes, count: cards.length, free: cards.filter((milli) => milli === WHOLE_GPU).length };
}
