import { canonicalBytes } from '@ringfence/base';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import type { PlacementLabel } from '@ringfence/policy';
import type { PlacementPart } from '@ringfence/protocol/statements';

/**
 * A digest that jobs share when the same offers could take them: when one of them finds no room, no other does. Members of a gang share
 * one of their own, since they are looked at together.
 */
export function jobShape(
  { priority: _priority, retryOn: _retry, preemptible: _preemptible, gang, ...asked }: PlacementPart,
  { sensitivity, residency, acceptProviderPlaintext }: PlacementLabel,
): Digest {
  const label = {
    sensitivity,
    residency,
    ...(acceptProviderPlaintext === undefined ? {} : { acceptProviderPlaintext }),
  };
  return sha256Hex(canonicalBytes({ asked, label, ...(gang === undefined ? {} : { gang }) }));
}
