import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { OfferId } from '@ringfence/base';
import { Inventory } from './inventory.ts';
import { Placer, type ChosenOffer } from './placer.ts';
import { RandomPlacement } from './random-placement.fixture.ts';
import type { PlacementRequest } from './requirement.ts';
import type { Take } from './take.ts';

const CHANGES = 12_000;
const OFFERS = 120;

/** A job that most offers could take, but for the room that it asks for, so that there are more good ones than are kept. */
function open(random: RandomPlacement): PlacementRequest {
  const { evidence: _, maxPrice: __, sites: ___, ...placement } = random.request().placement;
  const { gpus: ____, ...resources } = placement.resources;
  return {
    ...random.request(),
    label: { sensitivity: 'public', residency: [] },
    wishes: { weights: { cost: random.pick([0, 1]) } },
    placement: {
      ...placement,
      resources: {
        ...resources,
        cpuMilli: 500 * (1 + random.below(8)),
        memoryBytes: 0,
        diskBytes: 0,
        hardLimits: false,
      },
      tiers: ['private', 'secure-cloud', 'community-cloud'],
      residency: [],
      isolation: 'sandbox',
      tees: [],
      egress: 'none',
      burst: 'allowed',
      spot: 'auto',
    },
  };
}

/** More changes than the log keeps, of all kinds, most of them reservations; ids of the offers that are in. */
class Traffic {
  readonly random = new RandomPlacement('kept counts');
  readonly inventory = new Inventory();
  readonly offers: OfferId[] = [];
  readonly taken: [OfferId, Take][] = [];

  constructor() {
    const offers = Array.from({ length: OFFERS }, () => this.random.offer());
    this.inventory.load(offers);
    this.offers.push(...offers.map(({ offer }) => offer));
  }

  change(): void {
    const { random, inventory, offers, taken } = this;
    const id = random.pick(offers);
    const kind = random.below(100);
    if (kind === 0) inventory.setState(id, { online: !random.rarely(3), locked: false, draining: random.rarely(3) });
    else if (kind === 1) inventory.put({ ...random.offer(), offer: id });
    else if (kind === 2) {
      inventory.remove(id);
      offers.splice(offers.indexOf(id), 1);
      const other = random.offer();
      inventory.put(other);
      offers.push(other.offer);
    } else if (kind < 6) this.speed(id);
    else if (kind < 55 && taken.length > 0) {
      const at = random.below(taken.length);
      const [[offer, take] = [id, { cpuMilli: 0, memoryBytes: 0, diskBytes: 0 }]] = taken.splice(at, 1);
      inventory.release(offer, take);
    } else this.reserve(id);
  }

  /** The same offer, with another score. */
  speed(id: OfferId): void {
    const found = this.inventory.find(id);
    if (found !== undefined) this.inventory.put({ ...found.offer, free: found.free, speed: 1 + this.random.below(9) });
  }

  /** As whoever places does: the best offers get full. */
  take({ offer, take }: ChosenOffer): void {
    if (this.inventory.reserve(offer, take)) this.taken.push([offer, take]);
  }

  reserve(id: OfferId): void {
    const take = { cpuMilli: 250 * this.random.below(9), memoryBytes: this.random.pick([0, 1e9, 3e9]), diskBytes: 0 };
    if (this.inventory.reserve(id, take)) this.taken.push([id, take]);
  }
}

it('is, through more changes than are kept, what a placer that knows nothing yet finds', () => {
  const traffic = new Traffic();
  let many = 0;
  const { random, inventory } = traffic;
  const options = { currency: 'EUR' };
  const placer = new Placer(inventory, options);
  const pool = Array.from({ length: 30 }, (_, at) => (at % 3 === 0 ? random.request() : open(random)));
  let compared = 0;
  let placed = 0;
  for (let change = 0; change < CHANGES; change += 1) {
    traffic.change();
    if (!random.rarely(6)) continue;
    // Some are asked for all the time, some so seldom that the log is past them.
    const request = pool[random.rarely(200) ? random.below(pool.length) : random.below(6)] ?? random.request();
    const except = random.rarely(4)
      ? new Set(
          placer
            .place(request)
            .top.slice(0, 3)
            .map(({ offer }) => offer),
        )
      : undefined;
    const found = placer.place(request, except);
    assert.deepEqual(found, new Placer(inventory, options).place(request, except), `change ${change}`);
    compared += 1;
    if (found.decision.allow) {
      placed += 1;
      traffic.take(found.decision.chosen);
    }
    if (found.feasible > 12) many += 1;
  }
  assert.ok(compared > 1_000 && placed > 300 && many > 300, `${compared} ${placed} ${many}`);
});
