import type { EpochMs } from '@ringfence/base';

/** A moment of a statement, in UTC (ISO 8601). */
export function momentText(at: EpochMs): string {
  // oxlint-disable-next-line no-restricted-globals -- writes a time that was signed; no clock is read
  return new Date(at).toISOString();
}
