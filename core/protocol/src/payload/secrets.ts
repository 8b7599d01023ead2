import { z } from 'zod';
import { idOf, moment } from '../fields.ts';
import { secretValue, variableName } from './workload.ts';

/** `POST /v1/secrets/NAME`: the value that grants deliver from now on. */
export const secretRequest = z.strictObject({ value: secretValue });
/** What may be known of a secret: never its value. */
export const secretRow = z.strictObject({ name: variableName, at: moment, device: idOf('device') });
/** `GET /v1/secrets`, by name; the answer to a change, too. */
export const secretsAnswer = z.strictObject({ secrets: z.array(secretRow) });

export type SecretRow = z.infer<typeof secretRow>;
