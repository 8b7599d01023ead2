import { z } from 'zod';
import { envelope } from '../fields.ts';

/** `POST /v1/profiles`: the next version, signed by an officer's device. */
export const profileRequest = z.strictObject({ statement: envelope });
/** The newest version of one profile; one without requirements is removed. */
export const profileRow = z.strictObject({ statement: envelope });
/** `GET /v1/profiles`, by name; whoever reads it verifies it against the keyring. The answer to a change, too. */
export const profilesAnswer = z.strictObject({ profiles: z.array(profileRow) });

export type ProfileRow = z.infer<typeof profileRow>;
