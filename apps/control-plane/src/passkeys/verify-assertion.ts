import { fromUtf8 } from '@ringfence/base';
import type { Decision } from '@ringfence/policy';
import { verifyAuthenticationResponse } from '@simplewebauthn/server';
import { isoBase64URL } from '@simplewebauthn/server/helpers';
import { isOfAnotherFrame } from './client-data.ts';
import type { SignedChallenge } from '@ringfence/protocol/api';
import type { RelyingParty } from './relying-party.ts';

/** A passkey of the table. */
export interface KnownPasskey {
  readonly credential: string;
  readonly member: string;
  readonly publicKey: Uint8Array;
}

/** What an assertion says of itself. */
export interface PasskeyUse {
  /** The authenticator's counter; the caller raises the table's by one statement, which refuses one that fell. */
  readonly signCount: number;
  readonly userVerified: boolean;
  readonly mayBeCopied: boolean;
}

/**
 * Whether `given` is `passkey`'s signature over this challenge, at this origin, for this host, by a user that it verified, and says that it is
 * its member's. The challenge has been spent by then.
 */
export async function verifyAssertion(
  given: SignedChallenge,
  { challenge, party, passkey }: { challenge: string; party: RelyingParty; passkey: KnownPasskey },
): Promise<Decision<'not-verified', { readonly use: PasskeyUse }>> {
  const { id, clientDataJSON, authenticatorData, signature, userHandle } = given;
  const refused = { allow: false, reasons: ['not-verified'] } as const;
  try {
    if (id !== passkey.credential || isOfAnotherFrame(clientDataJSON)) return refused;
    if (userHandle !== null && fromUtf8(isoBase64URL.toBuffer(userHandle)) !== passkey.member) return refused;
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        response: { clientDataJSON, authenticatorData, signature },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: party.origin,
      expectedRPID: party.rpId,
      // The table's counter is compared by the statement that raises it: a comparison here would be of a row that others change.
      credential: { id, publicKey: Uint8Array.from(passkey.publicKey), counter: 0 },
      requireUserVerification: true,
    });
    if (!verified) return refused;
    const { newCounter, userVerified, credentialDeviceType } = authenticationInfo;
    return {
      allow: true,
      use: { signCount: newCounter, userVerified, mayBeCopied: credentialDeviceType === 'multiDevice' },
    };
  } catch {
    return refused;
  }
}
