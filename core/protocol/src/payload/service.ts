import { z } from 'zod';
import { whole } from '../fields.ts';

/** How a replica is called and how many there are: `service` of the job file, resolved. */
export const serviceSpec = z.strictObject({
  port: whole(1_024, 65_535),
  api: z.enum(['http', 'openai']),
  replicas: z.strictObject({ min: whole(0, 100), max: whole(1, 100) }),
  scaling: z
    .strictObject({ metric: z.enum(['concurrency', 'requests-per-second']), target: whole(1, 100_000) })
    .optional(),
  /** Path that answers 200 when a replica is ready; without one an open port is enough. */
  probe: z
    .string()
    .max(1_024)
    .regex(/^\/[\x21-\x7e]*$/)
    .optional(),
});

export type ServiceSpec = z.infer<typeof serviceSpec>;
