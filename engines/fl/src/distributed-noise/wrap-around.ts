import { RING_WIDTHS } from '../ring/index.ts';
import { FlError } from '../fl-error.ts';
import { rotationBlock } from './rotation.ts';

/** A sum may leave the ring, and then be wrong, with this probability. */
export const WRAP_LOG2 = -40;
/** Noise so far out that no smaller tilt of its moments would bound it. */
const MOST_TILT = 40;

/** What decides whether a sum stays in its ring. */
export interface RingLoad {
  readonly dimension: number;
  readonly clients: number;
  readonly norm: number;
  readonly scale: number;
  readonly variance: number;
}

/**
 * Bound on log2 of the probability that any number of a sum of all clients leaves a ring of `width` bits, over the choice of the rotation and the noise. Rotated numbers are
 * sub-Gaussian; Skellam noise has moments e^(v(cosh θ − 1)); rounding moves each client's number by less than one. −Infinity where it cannot.
 */
export function wrapLog2({ dimension, clients, norm, scale, variance }: RingLoad, width: number): number {
  const room = 2 ** (width - 1) - 1 - clients;
  if (room <= 0) return 0;
  const peak = clients * norm * scale;
  const noise = clients * variance;
  if (noise === 0 && peak <= room) return -Infinity;
  const spread = (peak * peak) / rotationBlock(dimension);
  const exponent = Math.min(tail(room, spread, noise), peak < room ? tail(room - peak, 0, noise) : 0);
  return Math.min(0, (exponent + Math.log(2 * dimension)) / Math.LN2);
}

/** Least over θ of spread·θ²/2 + noise·(cosh θ − 1) − θ·room, which is convex (Chernoff). */
function tail(room: number, spread: number, noise: number): number {
  const at = (tilt: number) => (spread * tilt * tilt) / 2 + noise * (Math.cosh(tilt) - 1) - tilt * room;
  let [low, high] = [0, noise === 0 ? (2 * room) / spread : MOST_TILT];
  for (let step = 0; step < 100; step += 1) {
    const [left, right] = [low + (high - low) / 3, high - (high - low) / 3];
    if (at(left) < at(right)) high = right;
    else low = left;
  }
  return Math.min(0, at(low));
}

/** Whether sums stay in the ring but for a probability of 2^−40. */
export function fitsRing(load: RingLoad & { readonly width: number }): boolean {
  return wrapLog2(load, load.width) <= WRAP_LOG2;
}

/** The narrowest ring that sums stay in, and the bound on log2 of the probability that one does not. Throws FlError `bad-parameters` where 32 bits are too few. */
export function chooseWidth(load: RingLoad): { readonly width: number; readonly wrapLog2: number } {
  for (let width: number = RING_WIDTHS.least; width <= RING_WIDTHS.most; width += 1)
    if (fitsRing({ ...load, width })) return { width, wrapLog2: wrapLog2(load, width) };
  throw new FlError('bad-parameters', 'a sum of so many clients would not fit 32 bits', {
    next: 'Take a smaller scale.',
  });
}

/** The largest norm of one client's update with which sums stay in the ring, to six digits; 0 for none. */
export function largestNorm(load: Omit<RingLoad, 'norm'> & { readonly width: number }): number {
  // A norm as long as all numbers of this size together: by then, they leave.
  let [low, high] = [0, (2 ** load.width * Math.sqrt(load.dimension)) / load.scale];
  if (!fitsRing({ ...load, norm: 0 })) return 0;
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (fitsRing({ ...load, norm: middle })) low = middle;
    else high = middle;
  }
  return Number(low.toPrecision(6)) <= low ? Number(low.toPrecision(6)) : Number((low * (1 - 1e-5)).toPrecision(6));
}
