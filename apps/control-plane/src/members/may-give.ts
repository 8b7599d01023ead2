import type { Role } from '@ringfence/policy/authorise';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Asker } from '../http/route.ts';

/** An owner gives and takes any role; an officer any but the owner's. Throws ControlPlaneError `not-authorised`. */
export function assertMayGive(asker: Pick<Asker, 'roles'>, roles: readonly Role[]): void {
  const isOwner = asker.roles.some(({ role, project }) => role === 'owner' && project === undefined);
  if (isOwner || !roles.some(({ role }) => role === 'owner')) return;
  throw new ControlPlaneError('not-authorised', 'only an owner invites or removes another one', {
    next: 'ask an owner',
  });
}
