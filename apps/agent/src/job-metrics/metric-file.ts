import { closeSync, existsSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
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

/** Asks for room for so many bytes more, or gives back what a negative number says; false where there is none. */
export type TakeRoom = (bytes: number) => boolean;

/**
 * The file of a {@link MetricStore}: JSON lines, appended as points come and written anew before they grow too many. Whatever moment a crash
 * comes at, what was appended before can be read; a last line that was cut off is skipped.
 */
export class MetricFile {
  readonly #path: string;
  readonly #store: MetricStore;
  readonly #take: TakeRoom;
  #file: number | undefined;
  #bytes: number;
  #appended = 0;
  #refused = '{}';

  /** `take` is asked for room on the machine before anything is written. */
  constructor(path: string, store: MetricStore, take: TakeRoom = () => true) {
    this.#path = path;
    this.#store = store;
    this.#take = take;
    this.#file = openSync(path, 'a', 0o600);
    this.#bytes = fstatSync(this.#file).size;
  }

  /** Writes down what a turn added. A full disk or quota costs the metrics that follow, not the job: later ones could not be told apart. */
  append({ series, points }: Added): void {
    if (this.#file === undefined) return;
    const lines: object[] = series.map((kept) => ({ series: kept.series }));
    if (points.length > 0) lines.push({ points: points.map((added) => [added.number, packed(added.point)]) });
    const refused = JSON.stringify(this.#store.refused);
    if (refused !== this.#refused) lines.push({ refused: this.#store.refused });
    this.#refused = refused;
    if (lines.length === 0) return;
    const bytes = Buffer.from(textOf(lines));
    if (!this.#take(bytes.length)) return this.close();
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written);
      this.#bytes += bytes.length;
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
    const text = textOf(recordsOf(this.#store));
    const bytes = Buffer.byteLength(text);
    const more = bytes - this.#bytes;
    if (more > 0 && !this.#take(more)) return this.close();
    writeFileAtomic(this.#path, text);
    if (more < 0) this.#take(more);
    this.close();
    this.#file = openSync(this.#path, 'a', 0o600);
    this.#bytes = bytes;
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
