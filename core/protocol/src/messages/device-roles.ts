import { z } from 'zod';
import { idOf, whole } from '../fields.ts';
import { KEYRING_ROLES } from '../statements/keyring.ts';

/** The most role bindings of one device that the control plane hears of: each role everywhere, and then some in projects. */
export const MOST_TOLD_ROLES = 32;

/** The custodian's notice of the roles that the keyring binds a device to now; it replaces the one before. */
export const deviceRoles = z.strictObject({
  device: idOf('device'),
  /** How far the keyring was: an older word does not undo a newer one. */
  keyringSeq: whole(0, 1_000_000),
  roles: z
    .array(z.strictObject({ role: z.enum(KEYRING_ROLES), project: idOf('project').optional() }))
    .max(MOST_TOLD_ROLES),
});
