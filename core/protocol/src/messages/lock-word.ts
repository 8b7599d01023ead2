import { z } from 'zod';
import { idOf, moment } from '../fields.ts';

/** The custodian's word that a lock of its own holds on an agent, a device or a site, or that it ended; it replaces the one before. */
export const lockWord = z.strictObject({
  target: z.union([idOf('agent'), idOf('device'), idOf('site')]),
  locked: z.boolean(),
  /** Until when it holds without another word; null until there is one. */
  until: moment.nullable(),
});
