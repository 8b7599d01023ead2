import { z } from 'zod';
import { envelope, idOf } from '../fields.ts';
import { KEYRING_ROLES } from '../statements/keyring.ts';
import { placementPart } from '../statements/placement.ts';
import { MOST_POLICY_TEXT } from '../statements/rules.ts';
import { workload } from './workload.ts';

/** `POST /v1/profiles`: the next version, signed by an officer's device. */
export const profileRequest = z.strictObject({ statement: envelope });
/** The newest version of one profile; one without requirements is removed. */
export const profileRow = z.strictObject({ statement: envelope });
/** `GET /v1/profiles`, by name; whoever reads it verifies it against the keyring. The answer to a change, too. */
export const profilesAnswer = z.strictObject({ profiles: z.array(profileRow) });

/** `POST /v1/policy`: the organisation's next policy, signed by its officers. */
export const policyRequest = z.strictObject({ statement: envelope });
/** `GET /v1/policy`: the one that counts; whoever reads it verifies it against the keyring. The answer to a change, too. */
export const policyAnswer = z.strictObject({ statement: envelope.nullable() });
/** `POST /v1/policy/check`: what would keep a text from being a policy. */
export const policyCheckRequest = z.strictObject({
  cedar: z.string().max(MOST_POLICY_TEXT),
  access: z.string().max(MOST_POLICY_TEXT).optional(),
});
export const policyCheckAnswer = z.strictObject({ faults: z.array(z.string()) });
/** `POST /v1/policy/foretell`: a job as it would be deposited; its code need not be packed yet. */
export const policyQuestion = z.strictObject({ label: envelope, placement: placementPart, workload });
/** Ids of the policies that would forbid it. */
export const policyForecast = z.strictObject({ forbidden: z.array(z.string().max(40)) });

/** Who, what, and of which thing: a device with its roles, or somebody who would have these. */
export const accessQuestion = z.strictObject({
  principal: z.union([idOf('device'), z.strictObject({ roles: z.array(z.enum(KEYRING_ROLES)).max(8) })]),
  action: z.string().max(40),
  resource: z.string().max(64).optional(),
});
/** `POST /v1/access`: what the roles say; by `access` in place of what is signed, where it is given. */
export const accessRequest = z.strictObject({
  access: z.string().max(MOST_POLICY_TEXT).optional(),
  questions: z.array(accessQuestion).min(1).max(2_000),
});
/** In the order of the questions. Of a yes the policies that permit; of a no those that forbid, or why there are none. */
export const accessAnswer = z.strictObject({
  answers: z.array(
    z.strictObject({
      allow: z.boolean(),
      policies: z.array(z.string().max(40)),
      why: z.enum(['permitted', 'forbidden', 'not-permitted', 'not-evaluated']),
    }),
  ),
});

export type AccessQuestion = z.infer<typeof accessQuestion>;
export type AccessAnswer = z.infer<typeof accessAnswer>['answers'][number];
export type ProfileRow = z.infer<typeof profileRow>;
