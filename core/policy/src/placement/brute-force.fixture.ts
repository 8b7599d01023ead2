import { TIERS, type Tier } from '@ringfence/protocol';
import type { Constraint, PlacementPart } from '@ringfence/protocol/statements';
import { needsAt, needsThere } from '../needs.ts';
import { residencyOf } from '../residency.ts';
import { gradeAtLeast, isolationAtLeast } from '../strictness.ts';
import type { PlacementOffer } from './placement-offer.ts';
import { DEFAULT_WEIGHTS, EVIDENCE_GRACE_MS, type PlacementRequest } from './requirement.ts';

/** What looking at one offer after the other finds: written from docs/placement.md alone, without classes, masks or rows. */
export interface BruteForce {
  readonly best: readonly { readonly offer: PlacementOffer; readonly score: number }[];
  readonly failed: ReadonlyMap<string, readonly Constraint[]>;
  readonly feasible: number;
}

/** Every constraint that `offer` fails. */
export function naiveFailures(offer: PlacementOffer, request: PlacementRequest): Constraint[] {
  const { placement, wishes = {}, now } = request;
  const { resources } = placement;
  const { need, without, allowed } = demandOf(request, offer.tier);
  const tee = need.tees?.some((kind) => offer.tees.includes(kind)) === true && offer.isolations.includes('tee');
  const levels = offer.isolations.filter((level) => level !== 'tee');
  const isolated =
    without.isolation === 'tee'
      ? without.tees?.some((kind) => offer.tees.includes(kind)) === true
      : levels.some((level) => isolationAtLeast(level, without.isolation));
  const { free } = offer;
  const failed: [Constraint, boolean][] = [
    ['agent-offline', !offer.online],
    ['agent-locked', offer.locked],
    ['agent-draining', offer.draining],
    ['tier', !allowed],
    ['residency', !lawful(offer.jurisdictions, placement.residency, wishes.residencyDeny ?? [])],
    ['site', placement.sites?.includes(offer.site) === false],
    ['isolation', !isolated && !tee],
    ['tee', need.tees !== undefined && !tee],
    ['evidence', need.evidence !== undefined && !proven(offer, need.evidence, now, now + placement.maxDurationMs)],
    ['egress', !offer.egress.includes(placement.egress)],
    ['customer-key', wishes.customerKey === true && !offer.customerKeys],
    ['hard-limits', resources.hardLimits && !offer.hardLimits],
    ['cpu', free.cpuMilli < resources.cpuMilli],
    ['memory', free.memoryBytes < resources.memoryBytes],
    ['disk', free.diskBytes < resources.diskBytes || offer.diskFull],
    ['gpu', !hasCards(offer, request)],
    ['price', !affordable(offer, placement)],
    ['spot', (placement.spot === 'never' && offer.spot) || (placement.spot === 'only' && !offer.spot)],
  ];
  return failed.filter(([, fails]) => fails).map(([constraint]) => constraint);
}

/** The score as docs/placement.md says it. */
function naiveScore(offer: PlacementOffer, { placement, wishes = {} }: PlacementRequest, currency: string): number {
  const weights = { ...DEFAULT_WEIGHTS, ...wishes.weights };
  const unit = placement.maxPrice?.currency ?? placement.budget?.currency ?? currency;
  let price = offer.price?.microUnits ?? (offer.tier === 'private' ? 0 : 1e13);
  if (offer.price !== undefined && offer.price.currency !== unit) price = 1e13;
  let gigabytes = 0;
  let leaving = 0;
  for (const source of wishes.data ?? []) {
    if (source.site === offer.site && source.region === offer.region) continue;
    gigabytes += source.bytes / 1e9;
    if (source.region !== offer.region) leaving += (source.bytes / 1e9) * (source.egressMicroUnitsPerGb / 1e6);
  }
  const route = leaving + gigabytes * (8_000 / 3_600 / offer.networkMbit);
  return (
    weights.cost * (price / 1e6) +
    weights.speed * (1 / offer.speed) +
    weights.reliability * (1 - offer.reliability) +
    weights.gravity * route
  );
}

/** Places by looking at all offers. */
export function bruteForce(offers: readonly PlacementOffer[], request: PlacementRequest, currency: string): BruteForce {
  const failed = new Map(offers.map((offer) => [offer.offer as string, naiveFailures(offer, request)]));
  const fitting = offers.filter(({ offer }) => failed.get(offer)?.length === 0);
  const best = fitting
    .map((offer) => ({ offer, score: naiveScore(offer, request, currency) }))
    .toSorted((a, b) => {
      const home = Number(b.offer.tier === 'private') - Number(a.offer.tier === 'private');
      const tier = TIERS.indexOf(a.offer.tier) - TIERS.indexOf(b.offer.tier);
      return home || a.score - b.score || tier || (a.offer.offer < b.offer.offer ? -1 : 1);
    });
  return { best, failed, feasible: fitting.length };
}

interface Demand {
  readonly need: ReturnType<typeof needsThere>;
  readonly without: ReturnType<typeof needsThere>;
  readonly allowed: boolean;
}

const demands = new WeakMap<PlacementRequest, Map<Tier, Demand>>();

/** The same for all offers of a tier; without this, most of the time of a test goes into it. */
function demandOf(request: PlacementRequest, tier: Tier): Demand {
  const { placement, label } = request;
  const known = demands.get(request) ?? new Map<Tier, Demand>();
  demands.set(request, known);
  const demand = known.get(tier) ?? {
    need: needsThere(placement, label, tier),
    without: needsThere({ ...placement, tees: [] }, { ...label, acceptProviderPlaintext: true }, tier),
    allowed: needsAt(placement, label, tier) !== undefined,
  };
  known.set(tier, demand);
  return demand;
}

function lawful(laws: readonly string[], allow: readonly string[], deny: readonly string[]): boolean {
  const written = (list: readonly string[]) => {
    const countries = residencyOf(list);
    return countries === 'anywhere' ? [] : countries;
  };
  if (laws.length === 0) return allow.length === 0 && deny.length === 0;
  const allowed = allow.length === 0 || written(laws).every((country) => written(allow).includes(country));
  return allowed && !written(laws).some((country) => written(deny).includes(country));
}

function proven(
  { evidence }: PlacementOffer,
  need: NonNullable<ReturnType<typeof needsThere>['evidence']>,
  now: number,
  end: number,
): boolean {
  const counts = (claim: PlacementOffer['evidence'][number]) =>
    gradeAtLeast(claim.grade, need.grade) &&
    claim.issuedAt <= now &&
    (now - claim.issuedAt) / 86_400_000 <= need.maxAgeDays &&
    claim.notAfter >= end + EVIDENCE_GRACE_MS;
  if (need.any && !evidence.some(counts)) return false;
  return need.require.every((standard) => evidence.some((claim) => claim.standard === standard && counts(claim)));
}

function hasCards({ free }: PlacementOffer, { placement, wishes = {} }: PlacementRequest): boolean {
  const want = placement.resources.gpus;
  if (want === undefined) return true;
  const most = wishes.most?.gpuMemoryBytes ?? Infinity;
  return free.gpus.some(({ model, memoryBytes, cards }) => {
    if ((want.model ?? model) !== model || memoryBytes < want.memoryBytes || memoryBytes > most) return false;
    const share = wishes.gpuMilli;
    if (share !== undefined) return cards.some((card) => card >= share);
    return cards.filter((card) => card === 1000).length >= want.count;
  });
}

function affordable({ price, tier }: PlacementOffer, { maxPrice, budget, maxDurationMs }: PlacementPart): boolean {
  if (maxPrice === undefined && budget === undefined) return true;
  if (price === undefined) return tier === 'private';
  const within =
    maxPrice === undefined || (price.currency === maxPrice.currency && price.microUnits <= maxPrice.microUnits);
  if (budget === undefined) return within;
  const hours = (maxDurationMs / 3_600_000) * budget.attempts;
  return within && price.currency === budget.currency && price.microUnits * hours <= budget.microUnits;
}
