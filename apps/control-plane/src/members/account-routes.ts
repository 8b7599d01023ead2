import {
  accountView,
  doneAnswer,
  emptyBody,
  passwordChange,
  recoveryCodesMade,
  stepUpAnswer,
  stepUpGiven,
  totpBegun,
  totpConfirmation,
} from '@ringfence/protocol/api';
import { accountRoute, sessionRoute, type Route } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import {
  beginAuthenticator,
  confirmAuthenticator,
  removeAuthenticator,
  renewRecoveryCodes,
  viewAccount,
} from './account.ts';
import { changePassword } from './change-password.ts';
import { rotateToken } from '../sessions/rotate-token.ts';
import { stepUp } from './step-up.ts';

const DONE = { done: true } as const;

/** What is about the one that asks. */
export function accountRoutes(context: ControlPlaneContext): Route[] {
  return [
    accountRoute({
      method: 'GET',
      path: '/v1/account',
      summary: 'Who asks, what they have enrolled, and how sure of it this control plane is.',
      answer: accountView,
      handle: (_, asker) => viewAccount(context, asker),
    }),
    accountRoute({
      method: 'POST',
      path: '/v1/step-up',
      summary: 'Gives a factor to the session or device that signs this request.',
      body: stepUpGiven,
      answer: stepUpAnswer,
      handle: (call, asker) => rotateToken(context, asker, call, (token) => stepUp(context, asker, call, token)),
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/account/password',
      summary: 'Sets the member’s password, given the current one, and ends their other sessions.',
      ceremony: 'factor:add',
      body: passwordChange,
      answer: doneAnswer,
      handle: async (call, caller) => {
        await changePassword(context, caller, call);
        return DONE;
      },
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/account/recovery-codes',
      summary: 'Ten new recovery codes, told this once; those before are void.',
      ceremony: 'factor:add',
      body: emptyBody,
      answer: recoveryCodesMade,
      handle: (_, caller) => renewRecoveryCodes(context, caller),
    }),
    ...authenticatorRoutes(context),
  ];
}

function authenticatorRoutes(context: ControlPlaneContext): Route[] {
  return [
    sessionRoute({
      method: 'POST',
      path: '/v1/account/totp',
      summary: 'Begins an authenticator; its secret is told this once.',
      ceremony: 'factor:add',
      body: emptyBody,
      answer: totpBegun,
      handle: (_, caller) => beginAuthenticator(context, caller),
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/account/totp/confirm',
      summary: 'Takes the authenticator that was begun, by its first code.',
      ceremony: 'factor:add',
      body: totpConfirmation,
      answer: doneAnswer,
      handle: async ({ body }, caller) => {
        await confirmAuthenticator(context, caller, body.code);
        return DONE;
      },
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/account/totp/remove',
      summary: 'Takes the member’s authenticator away.',
      ceremony: 'factor:remove',
      body: emptyBody,
      answer: doneAnswer,
      handle: async (_, caller) => {
        await removeAuthenticator(context, caller);
        return DONE;
      },
    }),
  ];
}
