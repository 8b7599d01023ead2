import { concatBytes, utf8 } from '@ringfence/base';
import { verifySignature, type SigningKey, type SigningPublicKey } from '@ringfence/crypto/sign';

/** Whose vectors are in the sum, and who dealt shares and sent none; sets of places on the roster. */
export interface SurvivorSets {
  readonly alive: Uint8Array;
  readonly dropped: Uint8Array;
}

const CONSENT = utf8('survivors\0');

/** A client's word that it saw these sets, the first and only ones of the round. */
export function signConsent(context: Uint8Array, sets: SurvivorSets, identity: SigningKey): Uint8Array {
  return identity.sign('ringfence/secagg/v1', consentBytes(context, sets));
}

/** Whether `identity` consented to these sets. */
export function isConsent(
  context: Uint8Array,
  sets: SurvivorSets,
  identity: SigningPublicKey,
  signature: Uint8Array,
): boolean {
  return verifySignature(identity, 'ringfence/secagg/v1', consentBytes(context, sets), signature);
}

function consentBytes(context: Uint8Array, { alive, dropped }: SurvivorSets): Uint8Array {
  return concatBytes(CONSENT, context, alive, dropped);
}
