/** Coefficients of W. J. Cody, “Rational Chebyshev approximations for the error function”, Math. Comp. 23 (1969), as in CALERF of SPECFUN. */
const A = [3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694, 0.18577770618460315] as const;
const B = [23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171] as const;
const C = [
  0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769, 1712.0476126340707,
  2051.0783778260716, 1230.3393547979972, 2.1531153547440383e-8,
] as const;
const D = [
  15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597, 4362.619090143247,
  3439.3676741437216, 1230.3393548037495,
] as const;
const P = [
  0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275, 0.0006587491615298378,
  0.016315387137302097,
] as const;
const Q = [
  2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
] as const;

const SQRT_HALF = Math.SQRT1_2;
const INV_SQRT_PI = 0.5641895835477563;

/** exp(x²)·erfc(x) for x ≥ 0.46875, to 1e-15. Written out: it is most of what an accountant does. */
function scaledTail(x: number): number {
  if (x <= 4) {
    const [top, bottom] = [
      (((((((C[8] * x + C[0]) * x + C[1]) * x + C[2]) * x + C[3]) * x + C[4]) * x + C[5]) * x + C[6]) * x + C[7],
      (((((((x + D[0]) * x + D[1]) * x + D[2]) * x + D[3]) * x + D[4]) * x + D[5]) * x + D[6]) * x + D[7],
    ];
    return top / bottom;
  }
  const y = 1 / (x * x);
  const top = ((((P[5] * y + P[0]) * y + P[1]) * y + P[2]) * y + P[3]) * y + P[4];
  const bottom = ((((y + Q[0]) * y + Q[1]) * y + Q[2]) * y + Q[3]) * y + Q[4];
  return (INV_SQRT_PI - (y * top) / bottom) / x;
}

/** The error function for |x| < 0.46875. */
function smallErf(x: number): number {
  const y = x * x;
  const top = (((A[4] * y + A[0]) * y + A[1]) * y + A[2]) * y + A[3];
  const bottom = (((y + B[0]) * y + B[1]) * y + B[2]) * y + B[3];
  return (x * top) / bottom;
}

/** exp(-x²), without the loss that squaring a large x in double precision brings. */
function gaussian(x: number): number {
  const rounded = Math.trunc(x * 16) / 16;
  return Math.exp(-rounded * rounded) * Math.exp(-(x - rounded) * (x + rounded));
}

/** The complementary error function, relative error about 1e-15 where it is a normal number. */
export function erfc(x: number): number {
  const size = Math.abs(x);
  if (size < 0.46875) return 1 - smallErf(x);
  // Beyond this it is less than the smallest double.
  const tail = size > 27.3 ? 0 : gaussian(size) * scaledTail(size);
  return x > 0 ? tail : 2 - tail;
}

/** log(erfc(x)), also where erfc(x) itself is too small for a double. */
export function logErfc(x: number): number {
  return x < 0.46875 ? Math.log(erfc(x)) : Math.log(scaledTail(x)) - x * x;
}

/** P(Z ≤ x) of a standard normal Z. */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x * SQRT_HALF);
}

/** How much of a distribution lies below and above a point; the smaller of the two is accurate to the last places. */
export interface Tails {
  readonly below: number;
  readonly above: number;
}

/** Of the standard normal distribution. */
export function normalTails(x: number): Tails {
  const small = 0.5 * erfc(Math.abs(x) * SQRT_HALF);
  return x < 0 ? { below: small, above: 1 - small } : { below: 1 - small, above: small };
}

/** What lies between two points: the difference in the tail where both are small. */
export function massBetween(from: Tails, to: Tails): number {
  return from.above < to.below ? from.above - to.above : to.below - from.below;
}
