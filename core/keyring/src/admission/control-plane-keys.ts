import type { ControlPlaneId, EpochMs } from '@ringfence/base';
import type { Envelope, SigningPublicKey } from '@ringfence/crypto/sign';
import { CLOCK_SKEW_MS } from '../chain/keyring.ts';
import type { Verified } from '../statement.ts';
import { tryRead, tryVerify } from './open.ts';

/** What a party pinned when it joined: the control plane's id and its root. */
export interface ControlPlanePin {
  readonly id: ControlPlaneId;
  readonly root: SigningPublicKey;
}

/** The online keys of the pinned control plane at `now`; undefined when the envelope is not its root's word or has run out. */
export function openControlPlaneKeys(
  envelope: Envelope,
  pin: ControlPlanePin,
  now: EpochMs,
): Verified<'control-plane-keys'> | undefined {
  const keys = tryVerify(tryRead('control-plane-keys', envelope), () => [pin.root]);
  if (keys === undefined || keys.body.controlPlane !== pin.id || keys.body.root !== pin.root) return undefined;
  return keys.body.at <= now + CLOCK_SKEW_MS && now < keys.body.notAfter ? keys : undefined;
}
