import { epochMs, newId, type SiteId } from '@ringfence/base';
import type { Tier } from '@ringfence/protocol';
import { readOffer, type PlacementOffer } from '@ringfence/policy/placement';
import type { Chance } from './chance.ts';

const DAY_MS = 86_400_000;

/** When simulated wall clocks begin. */
export const WALL_START = 1_800_000_000_000;

type Claim = PlacementOffer['evidence'][number];

/** A claim that ends soon enough to lapse within a simulation, or that has ended already. */
export function claim(chance: Chance, wall: number): Claim {
  return {
    digest: Buffer.from(chance.rng.bytes(32)).toString('hex'),
    standard: chance.pick(['iso27001', 'soc2']),
    grade: chance.pick(['self-declared', 'documented', 'third-party', 'third-party']),
    issuedAt: epochMs(wall - chance.between(1, 300) * DAY_MS),
    notAfter: epochMs(wall + chance.between(-1, 12) * 3_600_000),
  } as Claim;
}

/** A claim that holds throughout: the organisation's own sites can always take what asks for it. */
function lasting(chance: Chance): Claim {
  const span = { issuedAt: epochMs(WALL_START - DAY_MS), notAfter: epochMs(WALL_START + 365 * DAY_MS) };
  return { ...claim(chance, WALL_START), standard: 'iso27001', grade: 'third-party', ...span };
}

/** An offer of a tier, with enough variety that each constraint refuses some. */
export function randomOffer(
  chance: Chance,
  { tier, site, cards }: { readonly tier: Tier; readonly site: SiteId; readonly cards: boolean },
): PlacementOffer {
  const home = tier === 'private';
  const tees = !home && chance.oneIn(3) ? ['sev-snp'] : [];
  const isolations = tier === 'community-cloud' && !chance.oneIn(4) ? ['sandbox', 'gvisor'] : ['sandbox', 'container'];
  const gpus = cards ? [{ model: 'L4', memoryBytes: 24e9, cards: [1000, 1000] }] : [];
  const offer = {
    offer: newId('offer', chance.rng),
    agent: newId('agent', chance.rng),
    site,
    epoch: 1,
    tier,
    region: chance.pick(['north', 'south']),
    jurisdictions: [home ? 'DE' : chance.pick(['DE', 'FR', 'US'])],
    isolations: tees.length > 0 ? [...isolations, 'tee'] : isolations,
    tees,
    egress: chance.oneIn(5) ? ['none'] : ['none', 'declared'],
    customerKeys: home || (tees.length > 0 && chance.oneIn(2)),
    hardLimits: !chance.oneIn(4),
    evidence: home ? [lasting(chance)] : [claim(chance, WALL_START), claim(chance, WALL_START)],
    free: { cpuMilli: chance.pick([8_000, 16_000]), memoryBytes: 64e9, diskBytes: 1e12, gpus },
    online: true,
    locked: false,
    draining: false,
    diskFull: false,
    spot: !home && chance.oneIn(3),
    ...(home ? {} : { price: randomPrice(chance) }),
    speed: 1,
    reliability: chance.pick([1, 0.99, 0.9]),
    networkMbit: 1_000,
  };
  const read = readOffer(offer);
  if (!read.allow) throw new Error(JSON.stringify(read.reasons));
  return read.offer;
}

/** Mostly in the budget's currency. */
export function randomPrice(chance: Chance): { microUnits: number; currency: string } {
  return { microUnits: chance.between(200_000, 4_000_000), currency: chance.oneIn(12) ? 'USD' : 'EUR' };
}
