import { z } from 'zod';
import { idOf, moment, whole } from '../fields.ts';
import { KEYRING_ROLES } from '../statements/keyring.ts';

const until = moment.nullable();

/** `GET /v1/locks/held?after=SEQ`, for agents: whom they cut off, until when; answered when the list is another than number `after`. */
export const heldLocks = z.strictObject({
  seq: whole(0, Number.MAX_SAFE_INTEGER),
  devices: z.array(z.strictObject({ device: idOf('device'), until })),
  agents: z.array(z.strictObject({ agent: idOf('agent'), until })),
  /** Suspended: whoever was let in by one is cut, and may come back with others. */
  roles: z.array(z.strictObject({ role: z.enum(KEYRING_ROLES), project: idOf('project').nullable(), until })),
});

export type HeldLocks = z.infer<typeof heldLocks>;
