import { ControlPlaneError } from '../control-plane-error.ts';

/** The same words for an account and for an address. */
export function tooSoon(waitMs: number): ControlPlaneError {
  return new ControlPlaneError('too-much', 'there were wrong tries: wait before the next one', {
    next: 'try again when Retry-After says',
    retryAfterS: Math.max(1, Math.ceil(waitMs / 1_000)),
  });
}
