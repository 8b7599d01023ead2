import { verifyRegistrationResponse } from '@simplewebauthn/server';
import { COSEALG, decodeAttestationObject, isoBase64URL } from '@simplewebauthn/server/helpers';
import type { Decision } from '@ringfence/policy';
import type { NewCredential } from '@ringfence/protocol/api';
import { isOfAnotherFrame } from './client-data.ts';
import type { RelyingParty } from './relying-party.ts';

/** Signature algorithms of passkeys, best liked first; RS256 is what older platform authenticators have. */
export const PASSKEY_ALGORITHMS: readonly number[] = [COSEALG.EdDSA, COSEALG.ES256, COSEALG.RS256];

/** A passkey as it lies in the table. */
export interface NewPasskey {
  /** Its id, in base64url. */
  readonly credential: string;
  /** COSE_Key (RFC 9052 §7). */
  readonly publicKey: Uint8Array;
  readonly signCount: number;
  /** WebAuthn's flag BE: its platform may copy it between machines. */
  readonly mayBeCopied: boolean;
  readonly aaguid: string;
}

/**
 * Whether `given` is a new passkey that its user verified, made for this challenge, at this origin, for this host. The challenge has been spent
 * by then. No attestation is asked, so none is looked at: a statement of any other make than "none" or the key's own is refused unread.
 */
export async function verifyRegistration(
  given: NewCredential,
  { challenge, party }: { challenge: string; party: RelyingParty },
): Promise<Decision<'not-verified', { readonly passkey: NewPasskey }>> {
  const { id, clientDataJSON, attestationObject } = given;
  const refused = { allow: false, reasons: ['not-verified'] } as const;
  try {
    if (isOfAnotherFrame(clientDataJSON)) return refused;
    const attested = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject));
    const format = attested.get('fmt');
    const own = format === 'packed' && attested.get('attStmt').get('x5c') === undefined;
    if (format !== 'none' && !own) return refused;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        response: { clientDataJSON, attestationObject },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: party.origin,
      expectedRPID: party.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...PASSKEY_ALGORITHMS],
    });
    if (!verified || registrationInfo.credential.id !== id) return refused;
    const { credential, aaguid, credentialDeviceType } = registrationInfo;
    return {
      allow: true,
      passkey: {
        credential: id,
        publicKey: credential.publicKey,
        signCount: credential.counter,
        mayBeCopied: credentialDeviceType === 'multiDevice',
        aaguid,
      },
    };
  } catch {
    return refused;
  }
}
