import {
  factorRemoved,
  memberNaming,
  membersAnswer,
  stepUpAnswer,
  totpBegun,
  totpConfirmed,
  typedCode,
} from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { beginTotp, confirmTotp, removeTotp, stepUp } from '../members/factors.ts';
import { listMembers, nameMember } from '../members/members.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of whose devices there are, and of what members show beside them. */
export function memberRoutes(context: CustodianContext): Route[] {
  const { access } = context;
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/members',
      summary: 'Members with their devices, and whether they have enrolled a factor.',
      who: ['device'],
      action: 'member:list',
      answer: membersAnswer,
      handle: async (_, __, claimed) => ({ mode: access.mode, members: await listMembers(context, claimed) }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/members',
      summary: 'Says whose a device is, once and for good, or what its person is called.',
      who: ['device'],
      action: 'member:invite',
      body: memberNaming,
      answer: membersAnswer,
      handle: async ({ body }, _, claimed) => ({
        mode: access.mode,
        members: await nameMember(context, claimed, body),
      }),
    }),
    ...factorRoutes(context),
  ];
}

/** One's own: whoever may read the keyring has a role, and may show more than a device. */
function factorRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/factors/totp',
      summary: 'Begins an authenticator of who asks; its secret is told this once.',
      who: ['device'],
      action: 'keyring:read',
      answer: totpBegun,
      handle: async (_, { id }, claimed) => ({ secret: await beginTotp(context, { claimed, device: id }) }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/factors/totp/confirm',
      summary: 'Makes the authenticator that was begun theirs, by its first code; gives recovery codes.',
      who: ['device'],
      action: 'keyring:read',
      body: typedCode,
      answer: totpConfirmed,
      handle: async ({ body }, { id }, claimed) => ({
        recoveryCodes: [...(await confirmTotp(context, { claimed, device: id }, body.code))],
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/factors/totp/remove',
      summary: 'Takes the authenticator and the recovery codes of who asks away.',
      who: ['device'],
      action: 'keyring:read',
      answer: factorRemoved,
      handle: async (_, { id }, claimed) => {
        await removeTotp(context, { claimed, device: id });
        return { removed: 'totp' };
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/step-up',
      summary: 'Takes a code of who asks: for a while it stands beside the device’s key.',
      who: ['device'],
      action: 'keyring:read',
      body: typedCode,
      answer: stepUpAnswer,
      handle: async ({ body }, { id }, claimed) => ({
        given: await stepUp(context, { claimed, device: id }, body.code),
      }),
    }),
  ];
}
