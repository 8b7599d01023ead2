import { MOST_GPU_KINDS, WHOLE_GPU, type FreeCapacity, type PlacementOffer } from './placement-offer.ts';

/**
 * One offer's numbers within its class: a row of {@link ROW} doubles. The first {@link LOGGED} decide constraints, the rest
 * the score and the order.
 */
export const FLAGS = 0;
/** Number of the site, from {@link SiteNumbers}. */
export const SITE = 1;
export const CPU = 2;
export const MEMORY = 3;
export const DISK = 4;
/** Whole free cards, by kind. */
export const WHOLE = 5;
/** The largest free share of a card in thousandths, by kind. */
export const SHARE = WHOLE + MOST_GPU_KINDS;
/** Micro-units an hour; {@link UNKNOWN_PRICE} away from home without one. From here on as {@link SCORED} says. */
export const PRICE = SHARE + MOST_GPU_KINDS;
export const LOGGED = PRICE + 1;
/** Cells from the price on that make the score, in rows as in nodes of bounds: price, slowness, loss, hours a gigabyte. */
export const SCORED = 4;
/** Hours for an hour's work of the reference machine, from the price on. */
export const SLOWNESS = 1;
/** The share of jobs lost, from the price on. */
export const LOSS = 2;
/** Hours to bring a gigabyte, from the price on. */
export const HOURS_PER_GB = 3;
/** A number that grows with the offer's id; equal ones need the id itself. */
export const ID_ORDER = PRICE + SCORED;
export const ROW = ID_ORDER + 1;

/** Bits of {@link FLAGS}; a row without `PRESENT` is empty. */
export const PRESENT = 1;
const OFFLINE = 2;
const LOCKED = 4;
const DRAINING = 8;
export const DISK_FULL = 16;
/** What keeps an offer from getting any job. */
export const AWAY = OFFLINE | LOCKED | DRAINING;

/** More than any price that an offer may name. */
export const UNKNOWN_PRICE = 10_000_000_000_000;

const MEGABITS_A_GIGABYTE_HOUR = 8_000 / 3_600;

/** Reads a double of a row; rows are dense, so that there always is one. */
export function cell(rows: Float64Array, index: number): number {
  return rows[index] ?? 0;
}

/** Writes the whole row of `offer` at `start`. */
export function writeRow(rows: Float64Array, start: number, offer: PlacementOffer, site: number): void {
  rows[start + FLAGS] = flagsOf(offer);
  rows[start + SITE] = site;
  rows[start + PRICE] = offer.price?.microUnits ?? (offer.tier === 'private' ? 0 : UNKNOWN_PRICE);
  rows[start + PRICE + SLOWNESS] = 1 / offer.speed;
  rows[start + PRICE + LOSS] = 1 - offer.reliability;
  rows[start + PRICE + HOURS_PER_GB] = MEGABITS_A_GIGABYTE_HOUR / offer.networkMbit;
  rows[start + ID_ORDER] = idOrder(offer.offer);
  writeFree(rows, start, offer.free);
}

/** Writes what is free, the only part of a row that reservations change. */
export function writeFree(rows: Float64Array, start: number, free: FreeCapacity): void {
  rows[start + CPU] = free.cpuMilli;
  rows[start + MEMORY] = free.memoryBytes;
  rows[start + DISK] = free.diskBytes;
  for (let kind = 0; kind < MOST_GPU_KINDS; kind += 1) {
    let whole = 0;
    let share = 0;
    for (const card of free.gpus[kind]?.cards ?? []) {
      if (card === WHOLE_GPU) whole += 1;
      if (card > share) share = card;
    }
    rows[start + WHOLE + kind] = whole;
    rows[start + SHARE + kind] = share;
  }
}

function flagsOf({ online, locked, draining, diskFull }: PlacementOffer): number {
  return (
    PRESENT | (online ? 0 : OFFLINE) | (locked ? LOCKED : 0) | (draining ? DRAINING : 0) | (diskFull ? DISK_FULL : 0)
  );
}

/** Ids are a prefix and base32: seven of its letters, in the order of their characters, fit a double exactly. */
function idOrder(id: string): number {
  let order = 0;
  for (let place = id.indexOf('_') + 1, end = place + 7; place < end; place += 1) {
    order = order * 128 + (place < id.length ? id.charCodeAt(place) & 127 : 0);
  }
  return order;
}
