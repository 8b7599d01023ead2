import type { EpochMs } from '@ringfence/base';

/** How sure a process is of who asks: 0 not at all, 1 one factor, 2 two of different kinds, 3 a key that cannot be copied, used by its person. */
export type AssuranceLevel = 0 | 1 | 2 | 3;

/** One proof that this very process verified, and when. */
export type Factor =
  /** A signature over the request itself by a device key of the keyring. */
  | { readonly kind: 'device-key'; readonly at: EpochMs }
  | { readonly kind: 'password'; readonly at: EpochMs }
  | { readonly kind: 'totp'; readonly at: EpochMs }
  | { readonly kind: 'recovery-code'; readonly at: EpochMs }
  /** A WebAuthn assertion: its flags UV, and BE ("backup eligible": it may be copied between machines). */
  | {
      readonly kind: 'passkey';
      readonly at: EpochMs;
      readonly userVerified: boolean;
      readonly mayBeCopied: boolean;
    }
  /** A signature by a key that was shown to live in hardware which asks for a PIN each time. */
  | { readonly kind: 'hardware-key'; readonly at: EpochMs }
  /** An identity provider's word, and the level that the organisation takes it for; `at` is its `auth_time`. */
  | { readonly kind: 'sso'; readonly at: EpochMs; readonly assures: 1 | 2 }
  /** A workload's token of a federated issuer: a service account, nobody's presence. */
  | { readonly kind: 'federated'; readonly at: EpochMs };

/** What an organisation takes factors for. */
export interface AssuranceRules {
  /** Off unless an organisation says so: a passkey that its platform copies between machines counts for level 3. */
  readonly copiedPasskeysReachThree: boolean;
}

/** Two factors make level 2 only if one thief does not get both: known, held by this machine, held apart from it. */
type Place = 'known' | 'here' | 'apart';

/** The level that `factors` reach together, whatever their age; more factors never lower it. (After NIST SP 800-63B-4; differences in docs/identity.md.) */
export function levelOf(factors: readonly Factor[], rules: AssuranceRules): AssuranceLevel {
  if (factors.some((factor) => isHighest(factor, rules))) return 3;
  if (factors.some(isTwoInOne)) return 2;
  const places = new Set(factors.flatMap((factor) => placeOf(factor) ?? []));
  if (places.size >= 2) return 2;
  return factors.length > 0 ? 1 : 0;
}

function isHighest(factor: Factor, rules: AssuranceRules): boolean {
  if (factor.kind === 'hardware-key') return true;
  if (factor.kind !== 'passkey' || !factor.userVerified) return false;
  return !factor.mayBeCopied || rules.copiedPasskeysReachThree;
}

function isTwoInOne(factor: Factor): boolean {
  return (factor.kind === 'passkey' && factor.userVerified) || (factor.kind === 'sso' && factor.assures === 2);
}

function placeOf({ kind }: Factor): Place | undefined {
  switch (kind) {
    case 'password':
    case 'sso':
      return 'known';
    case 'device-key':
      return 'here';
    case 'totp':
    case 'recovery-code':
    case 'passkey':
    case 'hardware-key':
      return 'apart';
    case 'federated':
      return undefined;
  }
}
