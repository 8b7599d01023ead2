import { parseSize } from '@ringfence/base';
import { parseAmount, parseCount, type Amount } from './amount.ts';

/** GPUs of one kind: `H100:80GB:1` is one H100 with exactly 80 GB of its own memory. */
export interface GpuRequest {
  /** Upper case, as offers spell it. */
  readonly model: string | undefined;
  /** Bytes of memory of each. */
  readonly memoryBytes: Amount | undefined;
  readonly count: Amount;
}

/** Reads `MODEL:MEMORY:COUNT`; each part may be left out but one, the count is 1 by default. Undefined for anything else. */
export function parseGpu(text: string): GpuRequest | undefined {
  const parts = text.split(':');
  const model = takeModel(parts);
  const memoryBytes = takeAmount(parts, parseSize);
  const count = takeAmount(parts, parseCount);
  if (parts.length > 0 || (model ?? memoryBytes ?? count) === undefined) return undefined;
  const chosen = count ?? { min: 1, max: 1 };
  const fits = chosen.min >= 1 && (chosen.max ?? chosen.min) <= 64 && inOrder(chosen);
  return fits && (memoryBytes === undefined || inOrder(memoryBytes))
    ? { model, memoryBytes, count: chosen }
    : undefined;
}

function takeModel(parts: string[]): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,15}$/.test(parts[0] ?? '')) return undefined;
  return parts.shift()?.toUpperCase();
}

function takeAmount(parts: string[], parse: (text: string) => number | undefined): Amount | undefined {
  const amount = parseAmount(parts[0] ?? '', parse);
  if (amount !== undefined) parts.shift();
  return amount;
}

function inOrder({ min, max }: Amount): boolean {
  return min > 0 && (max === undefined || min <= max) && min <= 1e13 && (max ?? 0) <= 1e13;
}
