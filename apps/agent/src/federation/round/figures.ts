/** What a client says of a round beside its update: rows that it learned from, and means over them. */
export interface RoundFigures {
  readonly examples: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Metrics that are summed under the masks; others stay in the job. */
export const SUMMED_METRICS = ['loss', 'accuracy'] as const;

/**
 * Figures as coordinates of the vector that is summed, behind the update. Each is a whole number below 2^48, cut into limbs that leave room for as many
 * clients as there are: the limbs' sums give the sum of the numbers exactly. A mean goes in twice, times the rows and as the rows that it is over, so
 * that what comes out is the mean over all rows of those that reported it.
 */
export interface FigureLayout {
  readonly limbBits: number;
  readonly limbs: number;
}

const NUMBER_BITS = 48;
/** Fewest bits of a limb that are worth it. */
const LEAST_LIMB = 2;
/** Values are kept to a 2^20th, up to 2^20 (times rows: capped at half of 2^48). */
const FRACTION = 2 ** 20;
const OFFSET = 2n ** BigInt(NUMBER_BITS - 1);
const MOST = Number(OFFSET) - 1;
const NUMBERS = 1 + 2 * SUMMED_METRICS.length;

/** How figures of at most `clients` clients lie in a ring of `width` bits; undefined where it is too narrow for any. */
export function figureLayout(width: number, clients: number): FigureLayout | undefined {
  const limbBits = Math.min(24, width - Math.ceil(Math.log2(clients + 1)));
  return limbBits < LEAST_LIMB ? undefined : { limbBits, limbs: Math.ceil(NUMBER_BITS / limbBits) };
}

/** Coordinates that figures take. */
export function figureLength({ limbs }: FigureLayout): number {
  return NUMBERS * limbs;
}

/** The coordinates of one client's figures. */
export function encodeFigures({ examples, metrics }: RoundFigures, { limbBits, limbs }: FigureLayout): Uint32Array {
  const numbers = [examples];
  for (const name of SUMMED_METRICS) {
    const value = metrics[name];
    numbers.push(...(value === undefined ? [0, 0] : [examples, bounded(value * examples * FRACTION)]));
  }
  const coordinates = new Uint32Array(NUMBERS * limbs);
  for (const [index, number] of numbers.entries()) {
    let rest = BigInt(Math.round(number)) + OFFSET;
    for (let limb = 0; limb < limbs; limb += 1) {
      coordinates[index * limbs + limb] = Number(BigInt.asUintN(limbBits, rest));
      rest >>= BigInt(limbBits);
    }
  }
  return coordinates;
}

/** What `clients` clients' figures are together, from the sums of their coordinates: all rows, and means over them. */
export function decodeFigures(sums: Uint32Array, { limbBits, limbs }: FigureLayout, clients: number): RoundFigures {
  const numbers = Array.from({ length: NUMBERS }, (_, index) => {
    let number = 0n;
    for (let limb = limbs - 1; limb >= 0; limb -= 1)
      number = (number << BigInt(limbBits)) + BigInt(sums[index * limbs + limb] ?? 0);
    return Number(number - BigInt(clients) * OFFSET);
  });
  const metrics: Record<string, number> = {};
  for (const [index, name] of SUMMED_METRICS.entries()) {
    const [rows = 0, total = 0] = numbers.slice(1 + 2 * index);
    if (rows > 0) metrics[name] = total / FRACTION / rows;
  }
  return { examples: numbers[0] ?? 0, metrics };
}

function bounded(value: number): number {
  return Math.max(-MOST, Math.min(MOST, value));
}
