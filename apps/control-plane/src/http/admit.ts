import type { Clock } from '@ringfence/base';
import { ACTIONS, type Authoriser } from '@ringfence/policy/authorise';
import type { SignedRequest } from '@ringfence/protocol/api';
import { ControlPlaneError } from '../control-plane-error.ts';
import { passLocks } from '../locks/pass-locks.ts';
import type { Locks } from '../locks/watch-locks.ts';
import type { KnownSessions } from '../sessions/known-sessions.ts';
import type { ControlPlaneStore } from '../store/open-store.ts';
import { assertSure } from './assert-sure.ts';
import { authenticate } from './authenticate.ts';
import type { AnyAsker, KnownRoute } from './route.ts';

/** Who answers the questions on the way to a route. */
export interface AdmitParts {
  readonly store: ControlPlaneStore;
  readonly clock: Clock;
  readonly sessions: KnownSessions;
  readonly locks: Pick<Locks, 'heard' | 'checkCaller'>;
  readonly authoriser: Authoriser;
}

/** A request on its way to a route. */
export interface Asked {
  readonly request: SignedRequest;
  readonly headers: Readonly<Record<string, unknown>>;
  /** What the path names; the organisation otherwise. */
  readonly resource: string | undefined;
}

/** Whoever got through. */
export interface Admitted {
  readonly asker: AnyAsker;
  /** For what changes something, when its turn has come: asks about locks again and spends the signature. */
  readonly whenItsTurnComes: () => Promise<void>;
}

/**
 * The order of questions (docs/identity.md), each fail-closed: authenticated, locked, permitted, sure enough. Throws ControlPlaneError
 * `not-authenticated`, `locked`, `not-authorised`, `step-up`.
 */
export async function admit(parts: AdmitParts, route: KnownRoute, asked: Asked): Promise<Admitted> {
  const { clock, locks } = parts;
  const known = await authenticate(parts, asked.request, asked.headers);
  const asker = await passLocks(locks, known.asker, clock);
  authorise(route, asker, { authoriser: parts.authoriser, resource: asked.resource ?? asker.org });
  await assertSure(parts, route, { ...known, asker, request: asked.request });
  return {
    asker,
    whenItsTurnComes: async () => {
      await passLocks(locks, known.asker, clock);
      await known.spendNonce();
    },
  };
}

function authorise(route: KnownRoute, asker: AnyAsker, by: { authoriser: Authoriser; resource: string }): void {
  if ('account' in asker) {
    if (route.by !== 'all')
      throw new ControlPlaneError('not-authorised', 'this is for people', { next: 'ask as a device or in a browser' });
    return permit(route, { ...asker, id: asker.account, what: 'service account' }, by);
  }
  const isDevice = 'device' in asker;
  if (route.by !== 'both' && route.by !== 'all' && route.by !== (isDevice ? 'device' : 'session'))
    throw new ControlPlaneError(
      'not-authorised',
      isDevice ? 'this is for a browser that signed in' : 'this takes the signature of a device',
      { next: isDevice ? 'open /account' : 'use the command line of a device that the keyring knows' },
    );
  const who = isDevice ? { id: asker.device, what: 'device' } : { id: asker.session, what: 'member' };
  permit(route, { org: asker.org, roles: asker.roles, ...who }, by);
}

/** A browser's session or a service account is asked about as a device with its roles. Whose the resource is, row-level security decides. */
function permit(
  route: KnownRoute,
  { id, org, roles, what }: Pick<AnyAsker, 'org' | 'roles'> & { readonly id: string; readonly what: string },
  by: { authoriser: Authoriser; resource: string },
): void {
  if (route.action === 'account') return;
  const principal = { type: 'Device', id, org, roles } as const;
  const resource = { type: ACTIONS[route.action].resource, id: by.resource, org };
  if (by.authoriser.authorise({ principal, action: route.action, resource }).allow) return;
  throw new ControlPlaneError('not-authorised', `no role of this ${what} permits ${route.action}`, {
    next: 'ask an owner of the organisation for a role that does: see docs/roles.md',
  });
}
