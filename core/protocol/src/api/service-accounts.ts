import { z } from 'zod';
import { idOf, moment } from '../fields.ts';
import { browserKey, memberRoles } from './members.ts';
import { issuerUrl } from './sign-on.ts';

const account = idOf('serviceAccount');
const name = z
  .string()
  .regex(/^[!-~]+$/)
  .max(512);
/** Whose tokens show that a workload is an account: each string exactly. */
const tokenNames = z.strictObject({ issuer: issuerUrl, audience: name, subject: name });
/** A key of an account, without a token. */
const keyTerms = z.strictObject({ publicKey: browserKey, days: z.int().min(1).max(90) });

/** `POST /v1/service-accounts`: shown by tokens of a federated issuer, or by a key that ends. */
export const serviceAccountAdd = z.union([
  z.strictObject({ roles: memberRoles, federation: tokenNames }),
  z.strictObject({ roles: memberRoles, key: keyTerms }),
]);
/** What was added. */
export const serviceAccountAdded = z.strictObject({
  account,
  key: idOf('accountKey').nullable(),
  ends: moment.nullable(),
});
/** `GET /v1/service-accounts`. */
export const serviceAccountList = z.strictObject({
  accounts: z.array(
    z.strictObject({
      account,
      roles: memberRoles,
      since: moment,
      federations: z.array(tokenNames),
      keys: z.array(z.strictObject({ key: idOf('accountKey'), ends: moment, federated: z.boolean() })),
    }),
  ),
});
/** `POST /v1/service-accounts/token`: a token of a federated issuer, for a key of the workload's own. */
export const tokenExchange = z.strictObject({
  token: z
    .string()
    .regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/)
    .max(16_384),
  publicKey: browserKey,
});
/** With which `keyid` the key signs requests from now on, and until when. */
export const tokenExchanged = z.strictObject({ account, key: idOf('accountKey'), ends: moment });

export type ServiceAccountList = z.infer<typeof serviceAccountList>;
