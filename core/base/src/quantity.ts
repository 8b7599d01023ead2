import type { Brand } from './brand.ts';
import { durationMs, type DurationMs } from './clock.ts';

/** A number of bytes. */
export type ByteCount = Brand<number, 'ByteCount'>;

const SIZE = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
} as const;
const TIME = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 } as const;

/** Bytes of `8GB`, `512MiB`, `1.5TB`, to the nearest byte; undefined when `text` is no size or beyond the safe integers. */
export function parseSize(text: string): ByteCount | undefined {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)\s*([KMGT]?I?B)$/i.exec(text.trim());
  const unit = match?.[2]?.toUpperCase();
  if (match === null || unit === undefined || !(unit in SIZE)) return undefined;
  const bytes = Math.round(Number(match[1]) * SIZE[unit as keyof typeof SIZE]);
  return Number.isSafeInteger(bytes) ? (bytes as ByteCount) : undefined;
}

/** Milliseconds of `90d`, `6h`, `30m`, `10s`, `250ms`; undefined when `text` is no duration or beyond the safe integers. */
export function parseDuration(text: string): DurationMs | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim());
  if (match === null) return undefined;
  const milliseconds = Number(match[1]) * TIME[match[2] as keyof typeof TIME];
  return Number.isSafeInteger(milliseconds) ? durationMs(milliseconds) : undefined;
}

/** `bytes` for people: `1.5 MB`. */
export function formatSize(bytes: number): string {
  // One digit after the point rounds up to the next unit from 999.95 on.
  const unit = (['TB', 'GB', 'MB', 'KB'] as const).find((name) => bytes >= SIZE[name] * 0.999_95);
  return unit === undefined ? `${bytes} B` : `${(bytes / SIZE[unit]).toFixed(1)} ${unit}`;
}

/** `milliseconds` for people: `1.2 s`, `3 m 20 s`. */
export function formatDuration(milliseconds: number): string {
  if (Math.round(milliseconds) < 1000) return `${Math.round(milliseconds)} ms`;
  if (Math.round(milliseconds / 100) < 600) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} m ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}
