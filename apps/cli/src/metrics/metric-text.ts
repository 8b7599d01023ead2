import { formatSize } from '@ringfence/base';
import type { SeriesView } from './read-metrics.ts';

/** A value as people read it, by its unit. */
export function valueText(value: number, unit: SeriesView['unit']): string {
  if (unit === 'bytes') return formatSize(value);
  if (unit === 'percent') return `${Math.round(value)} %`;
  if (unit === 'cores') return value.toFixed(2);
  return Number.isInteger(value) && Math.abs(value) < 1e9 ? String(value) : String(Number(value.toPrecision(4)));
}

/** A series by its name and labels, as its line named it: `loss{split="val"}`. */
export function seriesText({ name, labels }: Pick<SeriesView, 'name' | 'labels'>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}
