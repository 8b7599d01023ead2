import type { EpochMs } from '@ringfence/base';
import { parseDigest } from '@ringfence/crypto/sign';
import {
  browserStepUp,
  browserStepUpAsked,
  browserStepUpBegun,
  browserStepUpLook,
  doneAnswer,
  emptyBody,
  passkeyAsked,
  passkeyList,
  passkeyMade,
  passkeyRemoval,
  passkeySignIn,
  passkeySignInBegin,
  passkeyStepUp,
  passkeyStepUpBegin,
  passkeyUseAsked,
  signedIn,
  stepUpAnswer as stepUpView,
} from '@ringfence/protocol/api';
import { accountRoute, publicRoute, sessionRoute, type Route } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { countedTry } from '../members/counted-try.ts';
import { browserKey } from '../members/sign-in.ts';
import { stepUpAnswer } from '../members/step-up.ts';
import { handOver } from '../sessions/hand-over.ts';
import { rotateToken } from '../sessions/rotate-token.ts';
import { beginEnrolment, endEnrolment } from './enrol-passkey.ts';
import { askInBrowser, lookAtDevice, stepUpDevice } from './browser-step-up.ts';
import { listPasskeys } from './passkey-rows.ts';
import { relyingPartyOf } from './relying-party.ts';
import { removeOwnPasskey } from './remove-passkey.ts';
import { beginSignIn, beginStepUp, signInByPasskey, stepUpByPasskey } from './use-passkey.ts';

const DONE = { done: true } as const;

/** What browsers do with passkeys: sign in, step up, and a member's own list of them. */
export function passkeyRoutes(context: ControlPlaneContext): Route[] {
  return [
    ...signInRoutes(context),
    ...ownPasskeyRoutes(context),
    ...stepUpRoutes(context),
    ...browserStepUpRoutes(context),
  ];
}

function signInRoutes(context: ControlPlaneContext): Route[] {
  return [
    publicRoute({
      method: 'POST',
      path: '/v1/sign-in/passkey/begin',
      summary: 'Asks whoever has a passkey for it.',
      action: 'public',
      body: passkeySignInBegin,
      answer: passkeyUseAsked,
      handle: async ({ body, address }) => {
        context.addressTries.assertMayTry(address);
        context.beginRate.take(address);
        return beginSignIn(context, partyOf(context), browserKey(body.publicKey));
      },
    }),
    publicRoute({
      method: 'POST',
      path: '/v1/sign-in/passkey',
      summary: 'Begins a session for whose passkey it is.',
      action: 'public',
      body: passkeySignIn,
      answer: signedIn,
      handle: async (call) => {
        const { publicKey, ...answer } = call.body;
        const begun = await countedTry(context.addressTries, call.address, () =>
          signInByPasskey(context, partyOf(context), { ...answer, publicKey: browserKey(publicKey) }),
        );
        return handOver(context, call, begun);
      },
    }),
  ];
}

function ownPasskeyRoutes(context: ControlPlaneContext): Route[] {
  return [
    sessionRoute({
      method: 'GET',
      path: '/v1/account/passkeys',
      summary: 'The passkeys of who asks.',
      answer: passkeyList,
      handle: async (_, { org, member }) => {
        const rows = await context.store.withOrg(org, (tx) => listPasskeys(tx, member));
        return {
          passkeys: rows.map(({ credential, aaguid, may_be_copied, added_at, used_at, suspended_at }) => ({
            credential,
            aaguid,
            added: added_at as EpochMs,
            used: used_at as EpochMs | null,
            mayBeCopied: may_be_copied,
            suspended: suspended_at !== null,
          })),
        };
      },
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/account/passkeys/begin',
      summary: 'Asks for a new passkey of who asks.',
      ceremony: 'factor:add',
      body: emptyBody,
      answer: passkeyAsked,
      handle: (_, caller) => beginEnrolment(context, partyOf(context), caller),
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/account/passkeys',
      summary: 'Adds the passkey that was made.',
      ceremony: 'factor:add',
      body: passkeyMade,
      answer: doneAnswer,
      handle: async ({ body }, caller) => {
        await endEnrolment(context, partyOf(context), caller, body);
        return DONE;
      },
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/account/passkeys/remove',
      summary: 'Takes a passkey of who asks away.',
      ceremony: 'factor:remove',
      body: passkeyRemoval,
      answer: doneAnswer,
      handle: async ({ body }, caller) => {
        await removeOwnPasskey(context, caller, body.credential);
        return DONE;
      },
    }),
  ];
}

function stepUpRoutes(context: ControlPlaneContext): Route[] {
  return [
    sessionRoute({
      method: 'POST',
      path: '/v1/step-up/passkey/begin',
      summary: 'Asks for a passkey of who asks, perhaps for one thing alone.',
      body: passkeyStepUpBegin,
      answer: passkeyUseAsked,
      handle: async ({ body: { forDigest = '' } }, asker) => {
        const stepping = { asker, member: asker.member, browser: asker.session };
        const { expiresAt: _, ...asked } = await beginStepUp(
          context,
          partyOf(context),
          stepping,
          parseDigest(forDigest),
        );
        return asked;
      },
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/step-up/passkey',
      summary: 'Gives a passkey to the session that asks.',
      body: passkeyStepUp,
      answer: stepUpView,
      handle: async (call, asker) => {
        const stepping = { asker, member: asker.member, browser: asker.session };
        await rotateToken(context, asker, call, (token) =>
          stepUpByPasskey(context, partyOf(context), { ...stepping, token }, call.body),
        );
        return stepUpAnswer(context, asker);
      },
    }),
  ];
}

function browserStepUpRoutes(context: ControlPlaneContext): Route[] {
  return [
    accountRoute({
      method: 'POST',
      path: '/v1/step-up/browser/begin',
      summary: 'The address of a page in which the member of this device steps up for it.',
      body: passkeyStepUpBegin,
      answer: browserStepUpBegun,
      handle: ({ body: { forDigest = '' } }, asker) => askInBrowser(context, asker, parseDigest(forDigest)),
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/step-up/browser/look',
      summary: 'Which device asks for a step-up in this browser.',
      body: browserStepUpLook,
      answer: browserStepUpAsked,
      handle: ({ body }, caller) => lookAtDevice(context, caller, body),
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/step-up/browser',
      summary: 'Gives a passkey to the device that asked.',
      body: browserStepUp,
      answer: doneAnswer,
      handle: async ({ body }, caller) => {
        await stepUpDevice(context, caller, body);
        return DONE;
      },
    }),
  ];
}

function partyOf({ ownUrl }: ControlPlaneContext) {
  return relyingPartyOf(ownUrl.url);
}
