import { z } from 'zod';
import { idOf, moment } from '../fields.ts';
import { browserKey, secondFactor } from './members.ts';

/** Signature algorithms that an organisation may pin for tokens: none of them is `none`, nor with a shared key. */
export const TOKEN_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** An issuer's identifier: an https URL without query and fragment (OpenID Connect Discovery 1.0 §2). */
export const issuerUrl = z
  .string()
  .max(512)
  .regex(/^https:\/\/[^\s?#@]+$/);
/** Visible letters of ASCII alone. */
const word = (most: number) =>
  z
    .string()
    .regex(/^[!-~]+$/)
    .max(most);
const provider = idOf('ssoProvider');
const assures = z.union([z.literal(1), z.literal(2)]);
const providerTerms = z.strictObject({
  issuer: issuerUrl,
  clientId: word(256),
  algorithms: z.array(z.enum(TOKEN_ALGORITHMS)).min(1).max(TOKEN_ALGORITHMS.length),
  /** What the organisation takes the provider's word for. */
  assures,
  /** The `acr` without which it counts for level 1 alone. */
  acr: word(256).nullable(),
});

/** `POST /v1/sso/providers`. */
export const ssoProviderAdd = providerTerms.extend({ secret: word(512).nullable() });
/** `GET /v1/sso/providers`. */
export const ssoProviderList = z.strictObject({
  providers: z.array(providerTerms.extend({ provider, since: moment })),
  /** What each provider has to list as where it sends browsers back to. */
  redirectUri: z.string(),
});

const search = z
  .string()
  .regex(/^\?[!-~]*$/)
  .max(4_096);
/** `POST /v1/sign-in/provider/begin`. */
export const signOnBegin = z.strictObject({ provider, publicKey: browserKey });
/** `POST /v1/account/provider/begin`. */
export const accountSignOnBegin = z.strictObject({ provider, purpose: z.enum(['step-up', 'link']) });
/** Where the browser goes. */
export const signOnBegun = z.strictObject({ url: z.string(), assures });
/** `POST /v1/sign-in/provider`: with what the provider sent the browser back, and a factor of ours where its word is one. */
export const signOnEnd = z.strictObject({ search, publicKey: browserKey, second: secondFactor.optional() });
/** `POST /v1/account/provider` and `/link`. */
export const accountSignOnEnd = z.strictObject({ search });

export type SsoProviderList = z.infer<typeof ssoProviderList>;
