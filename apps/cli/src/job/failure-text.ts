import { formatSize } from '@ringfence/base';
import type { FailureEnvelope } from '@ringfence/protocol/payload';

/** A failure envelope in one line. */
export function failureText(failure: FailureEnvelope): string {
  const parts = [
    failure.class,
    failure.exception,
    failure.at === undefined ? undefined : `at ${failure.at}`,
    failure.exitCode === undefined ? undefined : `exit code ${failure.exitCode}`,
    failure.signal,
    failure.peakMemoryMb === undefined ? undefined : `peak memory ${formatSize(failure.peakMemoryMb * 1e6)}`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}
