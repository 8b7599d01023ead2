import assert from 'node:assert/strict';
import { test } from 'node:test';
import { naiveFailures } from '../placement/brute-force.fixture.ts';
import { Inventory } from '../placement/inventory.ts';
import type { PlacementOffer } from '../placement/placement-offer.ts';
import { Placer, type ChosenOffer } from '../placement/placer.ts';
import { RandomPlacement } from '../placement/random-placement.fixture.ts';
import type { PlacementRequest } from '../placement/requirement.ts';
import { takeOf, without } from '../placement/take.ts';
import { placeGang, type GangDesk } from './place-gang.ts';

interface Member {
  readonly request: PlacementRequest;
}

function deskOf(inventory: Inventory): GangDesk<Member, ChosenOffer> {
  const placer = new Placer(inventory, { currency: 'EUR' });
  return {
    place({ request }) {
      const { decision } = placer.place(request);
      if (!decision.allow) return undefined;
      assert.ok(inventory.reserve(decision.chosen.offer, decision.chosen.take));
      return decision.chosen;
    },
    undo: ({ offer, take }) => assert.ok(inventory.release(offer, take)),
  };
}

/** Whether some way of giving each request an offer has room for all: every way is tried. */
function fitsSomehow(requests: readonly PlacementRequest[], offers: readonly PlacementOffer[]): boolean {
  const [request, ...rest] = requests;
  if (request === undefined) return true;
  return offers.some((offer, index) => {
    if (naiveFailures(offer, request).length > 0) return false;
    const take = takeOf(offer.free, request.placement, request.wishes ?? {});
    const free = take === undefined ? undefined : without(offer.free, take);
    return free !== undefined && fitsSomehow(rest, offers.with(index, { ...offer, free }));
  });
}

/** Upper ends of ranges let one member take another's room; no signed placement part has them. */
function leastOnly(request: PlacementRequest): PlacementRequest {
  const { most: _, ...wishes } = request.wishes ?? {};
  return { ...request, wishes };
}

const freeOf = (inventory: Inventory, offers: readonly PlacementOffer[]) =>
  offers.map(({ offer }) => inventory.find(offer)?.free);

test('a gang of members that ask alike is placed whenever trying every way finds room', () => {
  const random = new RandomPlacement('gangs alike');
  const counts = { all: 0, none: 0, someOnly: 0 };
  for (let run = 0; run < 1_200; run += 1) {
    const offers = Array.from({ length: 1 + random.below(4) }, () => random.offer());
    const request = leastOnly(random.request());
    const members = Array.from({ length: 2 + random.below(3) }, () => ({ request }));
    const inventory = new Inventory();
    inventory.load(offers);
    const before = freeOf(inventory, offers);
    const desk = deskOf(inventory);
    const placed = placeGang(members, desk);
    const label = request.label;
    const fits = fitsSomehow(
      members.map(({ request: one }) => one),
      offers,
    );
    // A placement that its label forbids is placed nowhere, whatever offers there are.
    if (placed === undefined && fits) assert.equal(desk.place({ request }), undefined, JSON.stringify(label));
    else assert.equal(placed !== undefined, fits);
    if (placed === undefined) {
      assert.deepEqual(freeOf(inventory, offers), before, 'nothing stays taken');
      counts[desk.place({ request }) === undefined ? 'none' : 'someOnly'] += 1;
    } else counts.all += 1;
  }
  assert.ok(counts.all > 20 && counts.someOnly > 4, JSON.stringify(counts));
});

test('members that ask differently are all placed or none, and a placement of all has room for all', () => {
  const random = new RandomPlacement('gangs of all kinds');
  const counts = { placed: 0, missed: 0, impossible: 0 };
  for (let run = 0; run < 300; run += 1) {
    const offers = Array.from({ length: 2 + random.below(3) }, () => random.offer());
    const fitting = (): PlacementRequest[] => {
      const drawn = Array.from({ length: 30 }, () => leastOnly(random.request()));
      return drawn.filter((request) => offers.some((offer) => naiveFailures(offer, request).length === 0)).slice(0, 3);
    };
    const members = fitting().map((request) => ({ request }));
    const inventory = new Inventory();
    inventory.load(offers);
    const before = freeOf(inventory, offers);
    const placed = placeGang(members, deskOf(inventory));
    const possible = fitsSomehow(
      members.map(({ request }) => request),
      offers,
    );
    if (placed !== undefined) assert.ok(possible && placed.size === members.length);
    else assert.deepEqual(freeOf(inventory, offers), before, 'nothing stays taken');
    counts[placed !== undefined ? 'placed' : possible ? 'missed' : 'impossible'] += 1;
  }
  assert.ok(counts.placed > 20 && counts.impossible > 5 && counts.missed < counts.placed / 10, JSON.stringify(counts));
});

test('a member that finds no room goes first in another order', () => {
  const rooms = new Map([
    ['wide', 2],
    ['narrow', 1],
  ]);
  const needs: Readonly<Record<string, readonly string[]>> = { picky: ['narrow'], easy: ['narrow', 'wide'] };
  const desk: GangDesk<string, string> = {
    place(member) {
      const room = needs[member]?.find((name) => (rooms.get(name) ?? 0) > 0);
      if (room !== undefined) rooms.set(room, (rooms.get(room) ?? 0) - 1);
      return room;
    },
    undo: (room) => void rooms.set(room, (rooms.get(room) ?? 0) + 1),
  };
  assert.deepEqual(
    [...(placeGang(['easy', 'picky'], desk) ?? [])],
    [
      ['picky', 'narrow'],
      ['easy', 'wide'],
    ],
  );
});
