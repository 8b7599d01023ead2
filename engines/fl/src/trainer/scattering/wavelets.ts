import { PlaneTransform, zeroPlane, type Plane } from './plane.ts';

/** Directions of the wavelets of each scale. */
export const DIRECTIONS = 8;
/** Scales of the wavelets, 1 and 2; coefficients stand 2^SCALES pixels apart. */
export const SCALES = 2;
/** Of the finest wavelet and of the average, in pixels at scale 1. */
const DEVIATION = 0.8;
/** How many neighbouring copies of a plane a wavelet is summed over, so that it is periodic. */
const COPIES = 2;

/** Fourier transforms of Morlet wavelets, real, by scale and direction (Andén et al., Kymatio; Bruna and Mallat 2013). */
export function waveletBank(side: number): readonly (readonly Float64Array[])[] {
  const transform = new PlaneTransform(side);
  return Array.from({ length: SCALES }, (_, scale) =>
    Array.from({ length: DIRECTIONS }, (__, direction) => {
      const angle = ((DIRECTIONS / 2 - 1 - direction) * Math.PI) / DIRECTIONS;
      const plane = morlet(side, {
        deviation: DEVIATION * 2 ** scale,
        angle,
        frequency: (0.75 * Math.PI) / 2 ** scale,
      });
      transform.forward(plane);
      return plane.re;
    }),
  );
}

/**
 * Weights of a Gaussian average at every `step`th place of a periodic line of `length`: `count` rows, each summing to 1. `deviation` is in places of
 * that line.
 */
export function averages({
  length,
  count,
  step,
  deviation,
}: {
  length: number;
  count: number;
  step: number;
  deviation: number;
}): Float64Array {
  const rows = new Float64Array(count * length);
  for (let row = 0; row < count; row += 1) {
    let sum = 0;
    for (let at = 0; at < length; at += 1) {
      let weight = 0;
      for (let copy = -COPIES; copy <= COPIES; copy += 1)
        weight += Math.exp(-((at - row * step + copy * length) ** 2) / (2 * deviation * deviation));
      rows[row * length + at] = weight;
      sum += weight;
    }
    for (let at = row * length; at < (row + 1) * length; at += 1) rows[at] = (rows[at] as number) / sum;
  }
  return rows;
}

/** Deviation of the average of a whole transform, in pixels. */
export const AVERAGE_DEVIATION = DEVIATION * 2 ** (SCALES - 1);

interface Wave {
  readonly deviation: number;
  readonly angle: number;
  readonly frequency: number;
}

/** A Gabor function less as much of its envelope as makes its sum 0. */
function morlet(side: number, wave: Wave): Plane {
  const [plane, envelope] = [gabor(side, wave), gabor(side, { ...wave, frequency: 0 })];
  const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
  const under = total(envelope.re);
  const [re, im] = [total(plane.re) / under, total(plane.im) / under];
  for (let at = 0; at < plane.re.length; at += 1) {
    const height = envelope.re[at] as number;
    plane.re[at] = (plane.re[at] as number) - re * height;
    plane.im[at] = (plane.im[at] as number) - im * height;
  }
  return plane;
}

/** A plane wave under a Gaussian that is longer across its direction, by as much as there are directions to tell apart. */
function gabor(side: number, { deviation, angle, frequency }: Wave): Plane {
  const slant = 4 / DIRECTIONS;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const plane = zeroPlane(side);
  const span = (2 * COPIES + 1) * side;
  for (let place = 0; place < span * span; place += 1) {
    const x = Math.floor(place / span) - COPIES * side;
    const y = (place % span) - COPIES * side;
    const [along, across] = [x * c + y * s, y * c - x * s];
    const height = Math.exp(-(along * along + slant * slant * across * across) / (2 * deviation * deviation));
    const at = ((x + COPIES * side) % side) * side + ((y + COPIES * side) % side);
    const scaled = (height * slant) / (2 * Math.PI * deviation * deviation);
    plane.re[at] = (plane.re[at] as number) + scaled * Math.cos(frequency * along);
    plane.im[at] = (plane.im[at] as number) + scaled * Math.sin(frequency * along);
  }
  return plane;
}
