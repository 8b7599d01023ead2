import type { Secret } from '@ringfence/base';
import type { Destruction, KekAad, KekProviderKind, WrappedKek } from '../kek-provider.ts';

/**
 * The wire of one key service or device. Methods throw the errors of `kekError`, are given up when `signal` aborts, and neither retry nor
 * watch the time themselves: {@link budgetedProvider} does both for all of them.
 */
export interface KekBackend {
  readonly kind: KekProviderKind;
  wrap(plaintext: Secret, aad: KekAad, signal: AbortSignal): Promise<WrappedKek>;
  unwrap(wrapped: WrappedKek, aad: KekAad, signal: AbortSignal): Promise<Secret>;
  rotate(signal: AbortSignal): Promise<string>;
  destroy(keyVersion: string, signal: AbortSignal): Promise<Destruction>;
  /** The current version, when the service says of itself that it is well; without it a throw-away key is wrapped and unwrapped. */
  health?(signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}
