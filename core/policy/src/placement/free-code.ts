import { CPU, DISK, MEMORY, WHOLE, cell } from './offer-row-layout.ts';
import { MOST_GPU_KINDS } from './placement-offer.ts';

/**
 * What is free, or asked for, in two whole numbers of 32 bits, for a first and cheap comparison. The first has CPU, memory and disk
 * in ten bits each, rounded down to eighths of a power of two; the second whole cards of each kind in eight bits, exactly.
 * The highest bit of each field is kept clear: set in what is free, a subtraction of all fields at once leaves it where there
 * is enough (Lamport, Multiple byte processing with full-word instructions, CACM 18(8), 1975).
 */
const FIELD = 10;
const AMOUNT_TOPS = (1 << (FIELD - 1)) | (1 << (2 * FIELD - 1)) | (1 << (3 * FIELD - 1));
/** One in each field: who has so much more than an amount rounded down surely has the amount. */
const ONES = 1 | (1 << FIELD) | (1 << (2 * FIELD));
const MOST_ROUNDED = 510;
const CARD_FIELD = 8;
const CARD_TOPS = 0x80808080 | 0;
const MOST_CARDS_ASKED = 127;

const single = new Float32Array(1);
const bits = new Int32Array(single.buffer);
/** An exponent of 0 in bits 23 to 30 of a single, of which three bits of the fraction are kept. */
const LEAST_ROUNDED = (127 << 3) - 1;

/** Rounds so that a greater amount is never less: 0 below 1. */
function rounded(amount: number): number {
  if (!(amount >= 1)) return 0;
  single[0] = amount;
  return Math.min(MOST_ROUNDED, ((bits[0] ?? 0) >>> 20) - LEAST_ROUNDED);
}

/** CPU, memory and disk. */
export function amountCode(cpuMilli: number, memoryBytes: number, diskBytes: number): number {
  return rounded(cpuMilli) | (rounded(memoryBytes) << FIELD) | (rounded(diskBytes) << (2 * FIELD));
}

/** CPU, memory and disk of a row. */
export function rowAmountCode(rows: Float64Array, start: number): number {
  return amountCode(cell(rows, start + CPU), cell(rows, start + MEMORY), cell(rows, start + DISK));
}

/** Whole free cards of a row. */
export function rowCardCode(rows: Float64Array, start: number): number {
  let code = 0;
  for (let kind = 0; kind < MOST_GPU_KINDS; kind += 1) code |= cell(rows, start + WHOLE + kind) << (CARD_FIELD * kind);
  return code;
}

/** The same number of cards, asked of each kind. */
export function cardCode(cards: number): number {
  return Math.imul(Math.min(cards, MOST_CARDS_ASKED), 0x01010101);
}

/** Whether what was free and what is free are surely on the same side of all amounts asked for. */
export function sameSide(before: number, after: number, asked: number): boolean {
  const was = before | AMOUNT_TOPS;
  const is = after | AMOUNT_TOPS;
  const surelyWas = was - asked - ONES;
  const surelyIs = is - asked - ONES;
  return (((surelyWas ^ surelyIs) | (surelyWas ^ (was - asked)) | (surelyIs ^ (is - asked))) & AMOUNT_TOPS) === 0;
}

/** Whether there were and are enough cards of the same kinds. */
export function sameCards(before: number, after: number, asked: number): boolean {
  return ((((before | CARD_TOPS) - asked) ^ ((after | CARD_TOPS) - asked)) & CARD_TOPS) === 0;
}
