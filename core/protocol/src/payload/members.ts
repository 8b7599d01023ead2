import { z } from 'zod';
import { idOf } from '../fields.ts';
import { payloadName } from './workload.ts';

/** `GET /v1/members`: everybody whose device the keyring names. */
export const membersAnswer = z.strictObject({
  /** `device-only` until an officer enrolled a factor. */
  mode: z.enum(['device-only', 'factors']),
  members: z.array(
    z.strictObject({
      member: idOf('member'),
      name: z.string().nullable(),
      devices: z.array(idOf('device')),
      officer: z.boolean(),
      factors: z.array(z.string().max(20)),
    }),
  ),
});
/** `POST /v1/members`: whose a device is, by another device of theirs, or what its person is called. */
export const memberNaming = z.strictObject({
  device: idOf('device'),
  like: idOf('device').optional(),
  name: payloadName.optional(),
});

/** A code as somebody typed it. */
export const typedCode = z.strictObject({ code: z.string().max(128) });
/** `POST /v1/factors/totp`: the new authenticator's secret in base32, told this once. */
export const totpBegun = z.strictObject({ secret: z.string() });
/** `POST /v1/factors/totp/confirm`: recovery codes, told this once. */
export const totpConfirmed = z.strictObject({ recoveryCodes: z.array(z.string()) });
/** `POST /v1/step-up`: what was taken. */
export const stepUpAnswer = z.strictObject({ given: z.enum(['totp', 'recovery-code']) });
/** `POST /v1/factors/totp/remove`. */
export const factorRemoved = z.strictObject({ removed: z.literal('totp') });
