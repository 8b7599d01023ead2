import { formatSize } from '@ringfence/base';
import type { AttemptView, FailureEnvelope } from '@ringfence/protocol/payload';

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

/** How an attempt ended, in one line: its outcome where that says more than "failed", then what the envelope adds. */
export function endText({ outcome, failure }: AttemptView): string {
  const said = outcome === null || outcome === 'failed' ? [] : [outcome];
  const parts = [...said, ...(failure === null || outcome === 'stopped' ? [] : [failureText(failure)])];
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}
