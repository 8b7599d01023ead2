import {
  keyImportRequest,
  keyProviderRequest,
  keysAnswer,
  keyShredAnswer,
  keyShredRequest,
} from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { openImportedKey } from '../keys/import-key.ts';
import { viewKeys } from '../keys/key-view.ts';
import { shredKeys } from '../shredding/shred-keys.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of the hierarchy of keys: no key leaves by them. */
export function keyRoutes(context: CustodianContext): Route[] {
  return [statusRoute(context), ...rotationRoutes(context), shredRoute(context)];
}

function statusRoute(context: CustodianContext): Route {
  return memberRoute({
    method: 'GET',
    path: '/v1/keys',
    summary: 'Versions of keys, who holds them, and how far a rotation is; never a key.',
    who: ['device'],
    action: 'key:read',
    answer: keysAnswer,
    handle: (_, __, claimed) => viewKeys(context, claimed),
  });
}

function rotationRoutes(context: CustodianContext): Route[] {
  const { rotation } = context;
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/keys/rotate',
      summary: 'Makes new keys; data keys are wrapped again in the background, and the keys before are destroyed.',
      who: ['device'],
      action: 'key:rotate',
      answer: keysAnswer,
      handle: async (_, { id }, claimed) => {
        await rotation.begin(claimed, { cause: 'rotated' }, id);
        return viewKeys(context, claimed);
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/keys/import',
      summary: 'Takes a key of the organisation’s own making, sealed to this custodian, and rotates to it.',
      who: ['device'],
      action: 'key:import',
      body: keyImportRequest,
      answer: keysAnswer,
      handle: async ({ body }, { id }, claimed) => {
        using key = await openImportedKey(context, claimed, body.sealed);
        await rotation.begin(claimed, { cause: 'imported', key }, id);
        return viewKeys(context, claimed);
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/keys/provider',
      summary: 'Says who holds the organisation’s key from now on, and rotates to it.',
      who: ['device'],
      action: 'key:move',
      body: keyProviderRequest,
      answer: keysAnswer,
      handle: async ({ body }, { id }, claimed) => {
        if (!context.projectKeys.providers.has(body.provider))
          throw new CustodianError('not-found', 'this custodian has no provider of that name', {
            next: 'see `ringfence key status`; its operator names providers in a file',
          });
        await rotation.begin(claimed, { cause: 'moved', provider: body.provider }, id);
        return viewKeys(context, claimed);
      },
    }),
  ];
}

function shredRoute(context: CustodianContext): Route {
  return memberRoute({
    method: 'POST',
    path: '/v1/keys/shred',
    summary: 'Destroys the keys of the project or the organisation, for good, and gives the signed tombstone.',
    who: ['device'],
    action: 'key:shred',
    body: keyShredRequest,
    answer: keyShredAnswer,
    handle: async ({ body }, { id }, claimed) => {
      if (body.id !== (body.kind === 'project' ? claimed.project : claimed.org))
        throw new CustodianError('conflict', 'the id is not that of what this custodian has', {
          next: 'see `ringfence key status`',
        });
      return { tombstone: await shredKeys(context, claimed, { kind: body.kind, device: id }) };
    },
  });
}
