import { Secret, systemRng } from '@ringfence/base';
import { encodeUpdate, planEncoding } from '@ringfence/fl/distributed-noise';
import { addMasks, maskSeed, packRing, ringWidth, type SignedMask } from '@ringfence/fl/ring';
import { loadNow, overRepeats } from '../measure.ts';
import type { Goal, Row } from '../row.ts';
import { numpyMaskSeconds } from './numpy-masks.ts';

const TURNS = 5;
/** Masks expanded at once, as a client with so many neighbours does it. */
const NEIGHBOURS = 32;
const CLIENTS = 100;

/** `mask_ratio_to_numpy`, `client_cpu_s` with and without noise, and `bytes_per_parameter` at 20 and 32 bits. */
export function* maskRows(): Generator<Row> {
  for (const parameters of [1e6, 1e7]) yield* ratioToNumpy(parameters);
  for (const noise of [false, true]) yield clientSeconds(1e7, noise);
  for (const width of [20, 32]) yield bytesPerParameter(1e6, width);
}

/** How many masks are expanded and added in the CPU time that numpy needs for one of the same length; by turns, in the same run. Without numpy it says so instead. */
function* ratioToNumpy(parameters: number): Generator<Row> {
  const ratios: number[] = [];
  let numpy = 0;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const theirs = numpyMaskSeconds(parameters, 4);
    if (theirs === undefined) {
      console.error('mask_ratio_to_numpy: python3-numpy is not installed here');
      return;
    }
    numpy = theirs;
    ratios.push(theirs / maskSeconds(parameters));
  }
  const { median, spreadPercent } = overRepeats(ratios);
  const params = { parameters, neighbours: NEIGHBOURS, spread_percent: spreadPercent, load: loadNow() };
  const peer = `numpy's MT19937: ${(numpy * 1e3).toPrecision(3)} CPU-ms a mask`;
  yield { name: 'mask_ratio_to_numpy', params, value: median, unit: 'x', goal: { atLeast: 3 }, peer };
}

/** CPU seconds of one mask of so many that are added at once; the faster of two turns. */
function maskSeconds(parameters: number): number {
  const sum = new Uint32Array(parameters);
  const masks = someMasks(NEIGHBOURS);
  return Math.min(...[0, 1].map(() => cpuSeconds(() => addMasks(sum, masks, ringWidth(32))))) / NEIGHBOURS;
}

/** What a client does in a round with its numbers: clip, rotate, round, noise, its own mask and one for each neighbour, pack. */
function clientSeconds(parameters: number, noised: boolean): Row {
  const noise = noised ? { multiplier: 1, honestMin: Math.ceil((2 * CLIENTS) / 3) } : null;
  const encoding = planEncoding({ dimension: parameters, clients: CLIENTS, clip: 1, clipOf: 'update', noise });
  const update = new Float32Array(parameters).fill(1e-3);
  const masks = someMasks(NEIGHBOURS + 1);
  const turns = Array.from({ length: TURNS }, () =>
    cpuSeconds(() => {
      const values = encodeUpdate(update, encoding, new Uint8Array(32), systemRng);
      const width = ringWidth(encoding.width);
      addMasks(values, masks, width);
      packRing(values, width);
    }),
  );
  const { median, spreadPercent } = overRepeats(turns);
  const shape = { parameters, neighbours: NEIGHBOURS, noise: noised, bits: encoding.width };
  const goal = { atMost: 1 };
  return row(
    'client_cpu_s',
    { ...shape, spread_percent: spreadPercent, load: loadNow() },
    { value: median, unit: 's', goal },
  );
}

function bytesPerParameter(parameters: number, bits: number): Row {
  const { length } = packRing(new Uint32Array(parameters), ringWidth(bits));
  const goal = { atMost: bits / 8 };
  return row('bytes_per_parameter', { parameters, bits }, { value: length / parameters, unit: 'B', goal });
}

function row(name: string, params: Row['params'], figure: { value: number; unit: string; goal: Goal }): Row {
  return { name, params, ...figure, peer: null };
}

function someMasks(count: number): SignedMask[] {
  return Array.from({ length: count }, (_, at) => ({
    seed: maskSeed(new Secret(systemRng.bytes(32))),
    sign: at % 2 === 0 ? 1 : -1,
  }));
}

/** Of this process, system time included. */
function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
