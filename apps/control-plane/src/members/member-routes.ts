import {
  doneAnswer,
  emptyBody,
  invitationSignIn,
  memberInvitation,
  memberInvited,
  memberList,
  passwordSignIn,
  signedIn,
} from '@ringfence/protocol/api';
import { publicRoute, sharedRoute, type Route } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { handOver } from '../sessions/hand-over.ts';
import { inviteMember } from './invitations.ts';
import { listMembers, removeMember } from './members.ts';
import { assertMayGive } from './may-give.ts';
import { signInByInvitation, signInByPassword } from './sign-in.ts';

/** Who belongs to an organisation here, and how they come in. */
export function memberRoutes(context: ControlPlaneContext): Route[] {
  return [
    sharedRoute({
      method: 'GET',
      path: '/v1/members',
      summary: 'Everybody who signs in here or may, by random ids.',
      action: 'member:list',
      answer: memberList,
      handle: (_, asker) => listMembers(context, asker.org),
    }),
    sharedRoute({
      method: 'POST',
      path: '/v1/members',
      summary: 'Invites a member with roles; the secret that lets one browser in is told this once.',
      action: 'member:invite',
      body: memberInvitation,
      answer: memberInvited,
      handle: async ({ body }, asker) => {
        assertMayGive(asker, body.roles);
        return inviteMember(context, asker, body.roles);
      },
    }),
    sharedRoute({
      method: 'POST',
      path: '/v1/members/:member/remove',
      summary: 'Takes a member out: sessions end, factors are forgotten.',
      action: 'member:remove',
      body: emptyBody,
      answer: doneAnswer,
      handle: async ({ parameters }, asker) => {
        await removeMember(context, asker, parameters['member'] ?? '');
        return { done: true } as const;
      },
    }),
    ...signInRoutes(context),
  ];
}

function signInRoutes(context: ControlPlaneContext): Route[] {
  return [
    publicRoute({
      method: 'POST',
      path: '/v1/sign-in/invitation',
      summary: 'Begins a session by an invitation, which is spent; it can enrol the first factors and nothing else.',
      action: 'public',
      body: invitationSignIn,
      answer: signedIn,
      handle: async (call) => handOver(context, call, await signInByInvitation(context, call)),
    }),
    publicRoute({
      method: 'POST',
      path: '/v1/sign-in/password',
      summary: 'Begins a session by a password and a second factor.',
      action: 'public',
      body: passwordSignIn,
      answer: signedIn,
      handle: async (call) => handOver(context, call, await signInByPassword(context, call)),
    }),
  ];
}
