import { z } from 'zod';
import { attemptNumber, idOf, whole } from '../fields.ts';
import { LONGEST_LEASE_MS } from '../statements/job.ts';

/** Where a job finds its tokens. */
export const IDENTITY_FOLDER = '/opt/ringfence/identity';
/** The name of the file of one of them. */
export const IDENTITY_FILE = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
/** The most audiences of one job. */
export const MOST_IDENTITIES = 8;
/** No token is good for longer. */
export const LONGEST_IDENTITY_MS = 900_000;

/** For whom a token is: what a relying party calls itself. */
export const audience = z.string().regex(/^[\x21-\x7E]{1,255}$/);

/** Audiences of a job, by the names of their files. */
export const audiencesByFile = z.record(z.string().regex(IDENTITY_FILE), audience).refine((map) => {
  const { length } = Object.keys(map);
  return length >= 1 && length <= MOST_IDENTITIES;
}, 'one to eight audiences');

/** `POST /v1/identities`, from the agent that runs the attempt: `leaseMs` is what is left of its lease. */
export const identityRequest = z.strictObject({
  job: idOf('job'),
  attempt: attemptNumber,
  audience,
  leaseMs: whole(0, LONGEST_LEASE_MS),
});

/** Why the custodian gives an attempt no token; its no is final for this attempt, but for `locked`, `lease-over` and `too-often`. */
export const IDENTITY_REFUSALS = [
  'not-current',
  'stopped',
  'fenced',
  'closed',
  'committed',
  'epoch',
  'shredded',
  'locked',
  'device-removed',
  'bad-grant',
  'audience',
  'lease-over',
  'too-often',
] as const;
/** One of {@link IDENTITY_REFUSALS}. */
export type IdentityRefusal = (typeof IDENTITY_REFUSALS)[number];

/** A token, good for `lifetimeMs` from when it was made; or every reason against one. */
export const identityAnswer = z.discriminatedUnion('result', [
  z.strictObject({
    result: z.literal('issued'),
    token: z.string().max(8_192),
    lifetimeMs: whole(1_000, LONGEST_IDENTITY_MS),
  }),
  z.strictObject({
    result: z.literal('refused'),
    reasons: z.array(z.enum(IDENTITY_REFUSALS)).min(1).max(IDENTITY_REFUSALS.length),
  }),
]);

/** `GET /v1/identities/keys`: the issuer as tokens name it, and its keys as a JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037). */
export const identityKeys = z.strictObject({
  issuer: z.string().max(255),
  keys: z
    .array(
      z.strictObject({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string().regex(/^[\w-]{43}$/),
        kid: z.string().regex(/^[\w-]{43}$/),
        use: z.literal('sig'),
        alg: z.literal('EdDSA'),
      }),
    )
    .min(1)
    .max(4),
});
/** The keys that tokens of jobs are checked with. */
export type IdentityKeys = z.infer<typeof identityKeys>;
