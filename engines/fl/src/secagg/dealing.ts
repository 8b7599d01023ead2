import { concatBytes, utf8 } from '@ringfence/base';
import { sha256, verifySignature, type SigningKey, type SigningPublicKey } from '@ringfence/crypto/sign';

/** What a client dealt: a commitment to its own mask's seed, and two shares for each neighbour in the order of their places. */
export interface Dealing {
  readonly seedCommitment: Uint8Array;
  readonly dealt: Uint8Array;
}

const DEALING = utf8('shares\0');

/** A client's signature of what it dealt: a share that does not fit is its dealer's, or its holder's, and it can be said whose. */
export function signDealing(context: Uint8Array, dealing: Dealing, identity: SigningKey): Uint8Array {
  return identity.sign('ringfence/secagg/v1', dealingBytes(context, dealing));
}

/** Whether `identity` dealt this. */
export function isDealing(
  context: Uint8Array,
  dealing: Dealing,
  identity: SigningPublicKey,
  signature: Uint8Array,
): boolean {
  return verifySignature(identity, 'ringfence/secagg/v1', dealingBytes(context, dealing), signature);
}

function dealingBytes(context: Uint8Array, { seedCommitment, dealt }: Dealing): Uint8Array {
  return concatBytes(DEALING, context, seedCommitment, sha256(dealt));
}
