import { FlError } from '../../fl-error.ts';
import { rowCount, type Examples } from '../examples.ts';
import { CHANNELS, Scattering } from './scattering.ts';

/** Keeps a group of equal values from being divided by nothing. */
const LEAST_VARIANCE = 1e-5;

/**
 * Scattering coefficients of square grey images, each row's in `groups` groups of channels brought to mean 0 and variance 1 (Wu and He 2018, as Tramèr and Boneh 2021 use it): a row for itself, so no
 * other row's privacy pays. Throws FlError `bad-size` for rows that are no squares, `bad-parameters` for groups that do not divide the channels.
 */
export function scatterRows(images: Examples, groups: number): Examples {
  const side = Math.sqrt(images.inputs);
  if (!Number.isInteger(side)) throw new FlError('bad-size', 'these rows are no square images');
  const scattering = new Scattering(side);
  const inputs = scattering.length;
  if (!Number.isInteger(groups) || groups < 1 || CHANNELS % groups !== 0)
    throw new FlError('bad-parameters', 'the groups do not divide the channels');
  const rows = new Float32Array(rowCount(images) * inputs);
  for (let row = 0; row < rowCount(images); row += 1) {
    scattering.run(images.rows, row * images.inputs, rows, row * inputs);
    for (let group = 0; group < groups; group += 1)
      normalise(rows, row * inputs + (group * inputs) / groups, inputs / groups);
  }
  return { rows, labels: images.labels, inputs };
}

function normalise(values: Float32Array, start: number, length: number): void {
  let [sum, squares] = [0, 0];
  for (let at = start; at < start + length; at += 1) {
    const value = values[at] as number;
    sum += value;
    squares += value * value;
  }
  const mean = sum / length;
  const scale = 1 / Math.sqrt(Math.max(0, squares / length - mean * mean) + LEAST_VARIANCE);
  for (let at = start; at < start + length; at += 1) values[at] = ((values[at] as number) - mean) * scale;
}
