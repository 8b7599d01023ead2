import { z } from 'zod';
import { idOf, moment } from '../fields.ts';
import { browserKey } from './members.ts';

/** Bytes in base64url without padding, as browsers write them. */
const bytes = (most: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(Math.ceil((most * 4) / 3));

const credentialId = bytes(1_023);
const ceremony = idOf('ceremony');

/** What a browser made of a new passkey: the parts of WebAuthn's RegistrationResponseJSON that are looked at. */
export const newCredential = z.strictObject({
  id: credentialId,
  clientDataJSON: bytes(4_096),
  attestationObject: bytes(16_384),
});

/** What a browser signed with a passkey: the parts of WebAuthn's AuthenticationResponseJSON that are looked at. */
export const signedChallenge = z.strictObject({
  id: credentialId,
  clientDataJSON: bytes(4_096),
  authenticatorData: bytes(4_096),
  signature: bytes(1_024),
  /** Whose passkey it is, by the authenticator. */
  userHandle: bytes(64).nullable(),
});

/** How a browser is asked for a new passkey. */
export const passkeyAsked = z.strictObject({
  ceremony,
  challenge: z.string(),
  rpId: z.string(),
  user: z.strictObject({ id: z.string(), name: z.string() }),
  algorithms: z.array(z.int()),
  exclude: z.array(z.string()),
});
/** `POST /v1/account/passkeys`. */
export const passkeyMade = z.strictObject({ ceremony, credential: newCredential });
/** `GET /v1/account/passkeys`. */
export const passkeyList = z.strictObject({
  passkeys: z.array(
    z.strictObject({
      credential: z.string(),
      aaguid: z.string(),
      added: moment,
      used: moment.nullable(),
      mayBeCopied: z.boolean(),
      /** Its counter fell: it counts again when its member signs in with something else. */
      suspended: z.boolean(),
    }),
  ),
});
/** `POST /v1/account/passkeys/remove`. */
export const passkeyRemoval = z.strictObject({ credential: credentialId });

/** How a browser is asked for a use of a passkey; `allow` is empty at a sign-in, where the person picks. */
export const passkeyUseAsked = z.strictObject({
  ceremony,
  challenge: z.string(),
  rpId: z.string(),
  allow: z.array(z.string()),
});
/** `POST /v1/sign-in/passkey/begin`. */
export const passkeySignInBegin = z.strictObject({ publicKey: browserKey });
/** `POST /v1/sign-in/passkey`. */
export const passkeySignIn = z.strictObject({ ceremony, assertion: signedChallenge, publicKey: browserKey });
/** `POST /v1/step-up/passkey/begin`: for one thing alone where its digest is given, as what asks level 3 wants it. */
export const passkeyStepUpBegin = z.strictObject({
  forDigest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
/** `POST /v1/step-up/passkey`. */
export const passkeyStepUp = z.strictObject({ ceremony, assertion: signedChallenge });

const browserSecret = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
/** What a device is told by `POST /v1/step-up/browser/begin`, whose body is that of `/v1/step-up/passkey/begin`: what opens the page that steps up for it; the secret is told this once. */
export const browserStepUpBegun = z.strictObject({ ceremony, secret: browserSecret, url: z.string(), expires: moment });
/** `POST /v1/step-up/browser/look`, in a browser. */
export const browserStepUpLook = z.strictObject({ ceremony, secret: browserSecret });
/** Which device asks, and how the browser is asked for a passkey. */
export const browserStepUpAsked = passkeyUseAsked.extend({ device: idOf('device') });
/** `POST /v1/step-up/browser`, in a browser. */
export const browserStepUp = browserStepUpLook.extend({ assertion: signedChallenge });

export type NewCredential = z.infer<typeof newCredential>;
export type SignedChallenge = z.infer<typeof signedChallenge>;
