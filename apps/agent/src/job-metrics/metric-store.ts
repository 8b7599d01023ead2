import type { EpochMs } from '@ringfence/base';
import type { MetricPoint, MetricRefusal, MetricSeries } from '@ringfence/protocol/payload';
import { mergePoints, SeriesPoints } from './series-points.ts';

/** A value to be kept. */
export interface Measured extends MetricSeries {
  readonly value: number;
  readonly step?: number | undefined;
}

/** One series with its number, by which the file names it. */
export interface KeptSeries {
  readonly number: number;
  readonly series: MetricSeries;
  readonly points: SeriesPoints;
}

/** What one turn added, as it is written down. */
export interface Added {
  readonly series: readonly KeptSeries[];
  readonly points: readonly { readonly number: number; readonly point: MetricPoint }[];
}

/** Most series that a job may have. */
export const JOB_SERIES = 64;
const MACHINE_SERIES = 64;
/** Points of their own that the values of one turn get; the values beyond share the last point of their series. */
export const POINTS_A_TURN = 64;

/** The series of one attempt, of bounded size whatever the job reports. */
export class MetricStore {
  readonly #series = new Map<string, KeptSeries>();
  readonly #refused = new Map<MetricRefusal, number>();
  #newest = 0;

  /** Takes the values of one turn, all of the moment `now`; a later turn is always later by at least a millisecond, so that followers miss none. */
  take(now: EpochMs, values: readonly Measured[]): Added {
    const at = Math.max(this.#newest + 1, now) as EpochMs;
    const fresh: KeptSeries[] = [];
    const turn = new Map<KeptSeries, MetricPoint[]>();
    let points = 0;
    for (const { value, step, ...series } of values) {
      const kept = this.#find(series) ?? this.#add(series, fresh);
      if (kept === undefined) continue;
      const point: MetricPoint = { at, value, ...(step === undefined ? {} : { step }) };
      const own = turn.get(kept) ?? [];
      turn.set(kept, own);
      const last = own.at(-1);
      if (last !== undefined && points >= POINTS_A_TURN) own[own.length - 1] = mergePoints(last, point);
      else points = own.push(point) && points + 1;
    }
    if (turn.size > 0) this.#newest = at;
    for (const [kept, own] of turn) for (const point of own) kept.points.add(point);
    return {
      series: fresh,
      points: [...turn].flatMap(([{ number }, own]) => own.map((point) => ({ number, point }))),
    };
  }

  /** Counts values that were not taken. */
  refuse(refusal: MetricRefusal, count: number): void {
    this.#refused.set(refusal, Math.min(Number.MAX_SAFE_INTEGER, (this.#refused.get(refusal) ?? 0) + count));
  }

  get refused(): Partial<Record<MetricRefusal, number>> {
    return Object.fromEntries(this.#refused);
  }

  get series(): readonly KeptSeries[] {
    return [...this.#series.values()];
  }

  /** The moment of the newest point, 0 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** Puts back a series, points or counts from a file; what does not fit is left out. */
  restore(part: {
    series?: MetricSeries;
    points?: { number: number; points: readonly MetricPoint[]; tier?: number | undefined };
    refused?: Partial<Record<MetricRefusal, number>>;
  }): void {
    if (part.series !== undefined && this.#find(part.series) === undefined) this.#add(part.series, []);
    if (part.refused !== undefined)
      for (const [refusal, count] of Object.entries(part.refused)) this.#refused.set(refusal as MetricRefusal, count);
    if (part.points === undefined) return;
    const { number, points, tier } = part.points;
    const kept = this.series[number];
    if (kept === undefined) return;
    if (tier === undefined) for (const point of points) kept.points.add(point);
    else kept.points.restore(tier, points);
    for (const { at } of points) this.#newest = Math.max(this.#newest, at);
  }

  #find(series: MetricSeries): KeptSeries | undefined {
    return this.#series.get(keyOf(series));
  }

  #add(series: MetricSeries, fresh: KeptSeries[]): KeptSeries | undefined {
    const most = series.source === 'job' ? JOB_SERIES : MACHINE_SERIES;
    const same = this.series.filter((kept) => kept.series.source === series.source).length;
    if (same >= most) {
      this.refuse('too-many-series', 1);
      return undefined;
    }
    const kept = { number: this.#series.size, series, points: new SeriesPoints() };
    this.#series.set(keyOf(series), kept);
    fresh.push(kept);
    return kept;
  }
}

function keyOf({ source, name, labels }: MetricSeries): string {
  return `${source} ${name} ${JSON.stringify(Object.entries(labels))}`;
}
