import { z } from 'zod';
import { whole } from '../fields.ts';
import { parseEgressTarget } from '../job-file/egress-target.ts';

/** One place that a job may reach, `host:port` as the job file reads it. */
export const egressTarget = z
  .string()
  .max(260)
  .refine((text) => parseEgressTarget(text) === text, 'not an exact host:port');

/** What an attempt did with its way out, for its owner: numbers by kind of host and reason, no names. */
export const egressUse = z.strictObject({
  opened: whole(0, Number.MAX_SAFE_INTEGER),
  refused: z
    .array(
      z.strictObject({
        host: z.enum(['name', 'ipv4', 'ipv6', 'none']),
        reason: z.enum([
          'not-listed',
          'local-address',
          'not-resolved',
          'unreachable',
          'upstream-refused',
          'too-many',
          'bad-request',
        ]),
        count: whole(1, Number.MAX_SAFE_INTEGER),
      }),
    )
    .max(28),
});

export type EgressUse = z.infer<typeof egressUse>;
