import { fromBase64Url, toBase64Url } from './base64url.ts';

/** How the control plane asks for a new passkey. */
export interface CreationAsked {
  readonly challenge: string;
  readonly rpId: string;
  readonly user: { readonly id: string; readonly name: string };
  readonly algorithms: readonly number[];
  readonly exclude: readonly string[];
}

/** How it asks for a use of one; `allow` is empty at a sign-in, where the person picks. */
export interface UseAsked {
  readonly challenge: string;
  readonly rpId: string;
  readonly allow: readonly string[];
}

const named = (id: string): PublicKeyCredentialDescriptor => ({ type: 'public-key', id: fromBase64Url(id) });

/** Makes a discoverable passkey that verifies its user; what the control plane wants to see of it. */
export async function createPasskey({ challenge, rpId, user, algorithms, exclude }: CreationAsked) {
  const made = await navigator.credentials.create({
    publicKey: {
      challenge: fromBase64Url(challenge),
      rp: { id: rpId, name: 'Ringfence' },
      user: { id: fromBase64Url(user.id), name: user.name, displayName: user.name },
      pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
      excludeCredentials: exclude.map(named),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      attestation: 'none',
    },
  });
  if (!(made instanceof PublicKeyCredential) || !(made.response instanceof AuthenticatorAttestationResponse))
    throw new Error('this browser made no passkey');
  const { clientDataJSON, attestationObject } = made.response;
  return {
    id: toBase64Url(made.rawId),
    clientDataJSON: toBase64Url(clientDataJSON),
    attestationObject: toBase64Url(attestationObject),
  };
}

/** Signs a challenge with a passkey after its user was verified. */
export async function signWithPasskey({ challenge, rpId, allow }: UseAsked) {
  const used = await navigator.credentials.get({
    publicKey: {
      challenge: fromBase64Url(challenge),
      rpId,
      allowCredentials: allow.map(named),
      userVerification: 'required',
    },
  });
  if (!(used instanceof PublicKeyCredential) || !(used.response instanceof AuthenticatorAssertionResponse))
    throw new Error('no passkey was used');
  const { clientDataJSON, authenticatorData, signature, userHandle } = used.response;
  return {
    id: toBase64Url(used.rawId),
    clientDataJSON: toBase64Url(clientDataJSON),
    authenticatorData: toBase64Url(authenticatorData),
    signature: toBase64Url(signature),
    userHandle: userHandle === null ? null : toBase64Url(userHandle),
  };
}
