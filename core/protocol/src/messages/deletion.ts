import { z } from 'zod';
import { envelope, idOf } from '../fields.ts';
import { namedAttempts } from '../statements/pool.ts';

/** An order to delete what a machine away from home holds of attempts that are over. */
export const deleteData = z.strictObject({ request: idOf('deletion'), attempts: namedAttempts });

/** The answer to it; `statement` is the agent's signed `deletion`. */
export const deleted = z.strictObject({ request: idOf('deletion'), statement: envelope });

/**
 * The order to destroy the data keys of attempts that ran away from home. It comes once without `deletion`, when nothing runs there any more, and
 * again with the agent's signed deletion if that comes: the second has nothing left to destroy, and brings the custodian what the provider said.
 */
export const shredKeys = z.strictObject({
  request: idOf('deletion'),
  agent: idOf('agent'),
  attempts: namedAttempts,
  deletion: envelope.optional(),
});

/** The custodian's answer: the keys of these attempts are destroyed. */
export const keysShredded = z.strictObject({ request: idOf('deletion'), attempts: namedAttempts });
