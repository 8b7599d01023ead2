import { z } from 'zod';
import { envelope } from '../fields.ts';
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
export const policyCheckRequest = z.strictObject({ cedar: z.string().max(MOST_POLICY_TEXT) });
export const policyCheckAnswer = z.strictObject({ faults: z.array(z.string()) });
/** `POST /v1/policy/foretell`: a job as it would be deposited; its code need not be packed yet. */
export const policyQuestion = z.strictObject({ label: envelope, placement: placementPart, workload });
/** Ids of the policies that would forbid it. */
export const policyForecast = z.strictObject({ forbidden: z.array(z.string().max(40)) });

export type ProfileRow = z.infer<typeof profileRow>;
