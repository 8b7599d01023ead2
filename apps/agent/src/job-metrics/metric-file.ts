import { closeSync, existsSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { jsonOf } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import {
  METRIC_REFUSALS,
  metricPoint,
  metricSeries,
  type MetricPoint,
  type MetricRefusal,
} from '@ringfence/protocol/payload';
import { z } from 'zod';
import { MetricStore, type Added } from './metric-store.ts';

/** After so many bytes of additions the file is written anew, with the old points as coarse as they are kept. */
export const REWRITE_AFTER = 512 * 1024;
/** More than the largest file that {@link MetricFile} writes; of a longer one, the first so many bytes are read. */
const LARGEST_FILE = 16 * 1024 * 1024;

const point = z.tuple([z.number(), z.number(), z.number().nullable()]).rest(z.number());
const record = z.union([
  z.strictObject({ series: metricSeries }),
  z.strictObject({ points: z.array(z.tuple([z.int(), point])) }),
  z.strictObject({ tier: z.tuple([z.int(), z.int(), z.array(point)]) }),
  z.strictObject({ refused: z.partialRecord(z.enum(METRIC_REFUSALS), z.int()) }),
]);

/**
 * The file of a {@link MetricStore}: JSON lines, appended as points come and written anew before they grow too many. Whatever moment a crash
 * comes at, what was appended before can be read; a last line that was cut off is skipped.
 */
export class MetricFile {
  readonly #path: string;
  readonly #store: MetricStore;
  #file: number | undefined;
  #appended = 0;
  #refused = '{}';

  constructor(path: string, store: MetricStore) {
    this.#path = path;
    this.#store = store;
    this.#file = openSync(path, 'a', 0o600);
  }

  /** Writes down what a turn added. A full disk costs metrics, not the job. */
  append({ series, points }: Added): void {
    if (this.#file === undefined) return;
    const lines: object[] = series.map((kept) => ({ series: kept.series }));
    if (points.length > 0) lines.push({ points: points.map((added) => [added.number, packed(added.point)]) });
    const refused = JSON.stringify(this.#store.refused);
    if (refused !== this.#refused) lines.push({ refused: this.#store.refused });
    this.#refused = refused;
    if (lines.length === 0) return;
    const bytes = Buffer.from(textOf(lines));
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written);
      this.#appended += bytes.length;
      if (this.#appended > REWRITE_AFTER) this.#rewrite();
    } catch {
      this.close();
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #rewrite(): void {
    writeFileAtomic(this.#path, textOf(recordsOf(this.#store)));
    this.close();
    this.#file = openSync(this.#path, 'a', 0o600);
    this.#appended = 0;
  }
}

function recordsOf(store: MetricStore): object[] {
  return [
    ...store.series.map(({ series }) => ({ series })),
    ...store.series.flatMap(({ number, points }) =>
      points.tiers.map((tier, level) => ({ tier: [number, level, tier.map(packed)] })),
    ),
    { refused: store.refused },
  ];
}

function textOf(records: readonly object[]): string {
  return records.map((one) => `${JSON.stringify(one)}\n`).join('');
}

function packed({ at, value, step, min, max, count }: MetricPoint): (number | null)[] {
  return count === undefined ? [at, value, step ?? null] : [at, value, step ?? null, min ?? value, max ?? value, count];
}

function unpacked([at, value, step, min, max, count]: z.infer<typeof point>): MetricPoint[] {
  const more = count === undefined ? {} : { min, max, count };
  const parsed = metricPoint.safeParse({ at, value, ...(step === null ? {} : { step }), ...more });
  return parsed.success ? [parsed.data] : [];
}

/** The store that a file holds, empty where there is none; lines that cannot be read are skipped. */
export function readMetricFile(path: string): MetricStore {
  const store = new MetricStore();
  for (const line of textAt(path).split('\n')) {
    const parsed = record.safeParse(jsonOf(line));
    if (parsed.success) take(store, parsed.data);
  }
  return store;
}

function take(store: MetricStore, read: z.infer<typeof record>): void {
  if ('series' in read) return store.restore({ series: read.series });
  if ('refused' in read) return store.restore({ refused: read.refused as Partial<Record<MetricRefusal, number>> });
  if ('tier' in read) {
    const [number, tier, points] = read.tier;
    return store.restore({ points: { number, tier, points: points.flatMap(unpacked) } });
  }
  for (const [number, one] of read.points) store.restore({ points: { number, points: unpacked(one) } });
}

function textAt(path: string): string {
  if (!existsSync(path)) return '';
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(LARGEST_FILE, statSync(path).size));
    return buffer.toString('utf8', 0, readSync(file, buffer));
  } finally {
    closeSync(file);
  }
}
