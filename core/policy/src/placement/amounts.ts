import { priceLimitOf } from '../price-limit.ts';
import type { Inventory } from './inventory.ts';
import { AWAY, CPU, DISK, DISK_FULL, FLAGS, MEMORY, PRICE, SHARE, SITE, WHOLE, cell } from './offer-row-layout.ts';
import { FIXED, bitOf, type FailureMask } from './placement-constraints.ts';
import { MOST_GPU_KINDS } from './placement-offer.ts';
import type { PlacementRequest } from './requirement.ts';

/** What of a request is compared with each offer. */
export interface Amounts {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** Whole cards; 0 when none or a share is asked for. */
  readonly cards: number;
  /** A share of a card in thousandths; 0 when none or whole ones are asked for. */
  readonly share: number;
  /** Micro-units an hour. */
  readonly priceLimit: number;
  readonly sites: ReadonlySet<number> | undefined;
}

/** What `request` compares with each offer of `inventory`. */
export function amountsOf({ placement, wishes }: PlacementRequest, inventory: Inventory): Amounts {
  const { cpuMilli, memoryBytes, diskBytes, gpus } = placement.resources;
  const share = gpus === undefined ? 0 : (wishes?.gpuMilli ?? 0);
  const sites = placement.sites?.map((site) => inventory.siteNumber(site));
  return {
    cpuMilli,
    memoryBytes,
    diskBytes,
    cards: share === 0 ? (gpus?.count ?? 0) : 0,
    share,
    priceLimit: priceLimitOf(placement)?.microUnits ?? Infinity,
    sites: sites === undefined ? undefined : new Set(sites),
  };
}

/** How the offers of a class are compared: the kinds of GPU that will do, as bits by their place, and the bits below. */
export type Comparison = number;
/** One of those kinds has to be there. */
export const NEEDS_GPU: Comparison = 1 << MOST_GPU_KINDS;
/** Their price has to be within the limit. */
export const COMPARES_PRICE: Comparison = NEEDS_GPU << 1;
/** Their price is within no limit. */
export const REFUSES_PRICE: Comparison = COMPARES_PRICE << 1;

const OFF_SITE = 8;
const NO_CPU = 16;
const NO_MEMORY = 32;
const NO_DISK = 64;
const NO_GPU = 128;
const TOO_DEAR = 256;
const FULL = 512;
/** How many outcomes {@link outcomeOf} has. */
export const OUTCOMES = 1_024;

/** The constraints behind each outcome. */
export const OUTCOME_FAILURES: Int32Array = Int32Array.from({ length: OUTCOMES }, (_, outcome) => failuresOf(outcome));

/** Which constraints an offer's row fails, as a small number; 0: none. {@link OUTCOME_FAILURES} says which. */
export function outcomeOf(rows: Float64Array, start: number, amounts: Amounts, how: Comparison): number {
  const flags = cell(rows, start + FLAGS);
  let outcome = (flags & AWAY) >> 1;
  if (amounts.sites?.has(cell(rows, start + SITE)) === false) outcome |= OFF_SITE;
  if (cell(rows, start + CPU) < amounts.cpuMilli) outcome |= NO_CPU;
  if (cell(rows, start + MEMORY) < amounts.memoryBytes) outcome |= NO_MEMORY;
  if (cell(rows, start + DISK) < amounts.diskBytes) outcome |= NO_DISK;
  if ((flags & DISK_FULL) !== 0) outcome |= FULL;
  if ((how & NEEDS_GPU) !== 0 && !hasGpus(rows, start, amounts, how)) outcome |= NO_GPU;
  if ((how & REFUSES_PRICE) !== 0) outcome |= TOO_DEAR;
  else if ((how & COMPARES_PRICE) !== 0 && cell(rows, start + PRICE) > amounts.priceLimit) outcome |= TOO_DEAR;
  return outcome;
}

function hasGpus(rows: Float64Array, start: number, { cards, share }: Amounts, kinds: number): boolean {
  for (let kind = 0; kind < MOST_GPU_KINDS; kind += 1) {
    if ((kinds & (1 << kind)) === 0) continue;
    const enough = share === 0 ? cell(rows, start + WHOLE + kind) >= cards : cell(rows, start + SHARE + kind) >= share;
    if (enough) return true;
  }
  return false;
}

function failuresOf(outcome: number): FailureMask {
  const places: [number, FailureMask][] = [
    [1, bitOf('agent-offline')],
    [2, bitOf('agent-locked')],
    [4, bitOf('agent-draining')],
    [OFF_SITE, bitOf('site')],
    [NO_CPU, bitOf('cpu')],
    [NO_MEMORY, bitOf('memory')],
    [NO_DISK, bitOf('disk')],
    [NO_GPU, bitOf('gpu')],
    [TOO_DEAR, bitOf('price')],
    // No job fits on a full disk, not even one that asks for none of it.
    [FULL, bitOf('disk') | FIXED],
  ];
  return places.reduce((mask, [bit, failures]) => ((outcome & bit) === 0 ? mask : mask | failures), 0);
}
