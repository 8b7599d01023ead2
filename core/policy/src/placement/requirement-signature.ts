import { priceLimitOf } from '../price-limit.ts';
import type { Amounts } from './amounts.ts';
import type { PlacementRequest } from './requirement.ts';

/**
 * Names everything of a request that decides which classes of offers fit and how they score: two requests with the same one
 * share those answers. Every field is written out with its separator, and fields are of closed alphabets, so that no two
 * requests read alike.
 */
export function classSignature(request: PlacementRequest, currency: string): string {
  const { placement, label, wishes = {} } = request;
  const { resources, evidence } = placement;
  const limit = priceLimitOf(placement);
  const { gpus } = resources;
  const { weights, data, most } = wishes;
  let text = `${placement.tiers.join()};${placement.residency.join()};${placement.isolation};${placement.tees.join()};${
    placement.egress
  };${placement.burst};${placement.spot};${placement.maxDurationMs};${resources.hardLimits ? 1 : 0};${
    limit?.currency ?? ''
  };${currency};${label.sensitivity};${label.residency.join()};${label.acceptProviderPlaintext === true ? 1 : 0};`;
  text += evidence === undefined ? '-' : `${evidence.require.join()}:${evidence.grade}:${evidence.maxAgeDays}`;
  text += gpus === undefined ? ';-' : `;${gpus.model ?? ''}:${gpus.memoryBytes}:${most?.gpuMemoryBytes ?? ''}`;
  if (wishes.residencyDeny !== undefined) text += `;d${wishes.residencyDeny.join()}`;
  if (wishes.customerKey === true) text += ';k';
  if (weights !== undefined) {
    text += `;w${weights.cost ?? ''}:${weights.speed ?? ''}:${weights.reliability ?? ''}:${weights.gravity ?? ''}`;
  }
  for (const { site, region, bytes, egressMicroUnitsPerGb } of data ?? []) {
    text += `;b${site}:${region}:${bytes}:${egressMicroUnitsPerGb}`;
  }
  return text;
}

/** Names {@link Amounts}; sites by their numbers, so that one that comes to be known makes another name. */
export function amountSignature({
  cpuMilli,
  memoryBytes,
  diskBytes,
  cards,
  share,
  priceLimit,
  sites,
}: Amounts): string {
  const named = sites === undefined ? '' : [...sites].join();
  return `${cpuMilli}:${memoryBytes}:${diskBytes}:${cards}:${share}:${priceLimit}:${named}`;
}
