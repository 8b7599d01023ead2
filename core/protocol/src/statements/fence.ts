import { z } from 'zod';
import { attemptNumber, idOf, moment } from '../fields.ts';

/** An officer's word that an attempt is to count as over, although its agent has not said so: the machine is off, or out of reach for good. */
export const fenceStatement = z.strictObject({
  v: z.literal(1),
  org: idOf('org'),
  job: idOf('job'),
  attempt: attemptNumber,
  device: idOf('device'),
  at: moment,
});

export type FenceStatement = z.infer<typeof fenceStatement>;
