import { isId } from '@ringfence/base';
import type { LockTarget } from '@ringfence/policy/locks';
import { lockApproval, lockDecision, lockList, lockView, wantedLock } from '@ringfence/protocol/api';
import { heldLocks } from '@ringfence/protocol/payload';
import {
  lockRefused,
  lockViewOf,
  readLocks,
  wishRefused,
  type ActorOf,
  type LockRefused,
  type LockWish,
} from '@ringfence/store/locks';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { memberRoute, type Route } from '../http/route.ts';
import { listHeld } from './held-locks.ts';

/** Who is cut off at the custodian, and by its word at its agents. */
export function lockRoutes(context: CustodianContext): Route[] {
  const { store, lockDesk, lockNews } = context;
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/locks',
      summary: 'The locks that hold at the custodian.',
      who: ['device'],
      action: 'lock:list',
      answer: lockList,
      handle: async (_, __, { org }) => ({
        locks: (await store.withOrg(org, readLocks, { readOnly: true })).map(lockViewOf),
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/locks',
      summary: 'Sets a lock: one officer’s, which ends after 24 hours unless the quorum confirms it.',
      who: ['device'],
      action: 'lock:set',
      body: wantedLock,
      answer: lockView,
      handle: async ({ body }, { id }, { org }) => {
        const set = await lockDesk.set(org, actorOf(context, id), body.target as LockTarget);
        if (!set.allow) throw refusal(lockRefused(set.reasons));
        return lockViewOf(set.lock);
      },
    }),
    agreement(context, 'confirm', 'An officer agrees that a lock holds until it is lifted.'),
    agreement(context, 'lift', 'An officer agrees that a lock ends.'),
    memberRoute({
      method: 'GET',
      path: '/v1/locks/held',
      summary: 'Whom agents cut off; `after` waits for a list of another number.',
      who: ['agent'],
      action: 'lock:follow',
      answer: heldLocks,
      handle: async ({ query }, _, claimed) => {
        const after = Number(query['after'] ?? '0');
        await lockNews.changedSince(Number.isSafeInteger(after) ? after : 0);
        return listHeld(context, claimed);
      },
    }),
  ];
}

function agreement(context: CustodianContext, wants: LockWish, summary: string): Route {
  return memberRoute({
    method: 'POST',
    path: `/v1/locks/:lock/${wants}`,
    summary,
    who: ['device'],
    action: `lock:${wants}`,
    body: lockApproval,
    answer: lockDecision,
    handle: async ({ body, parameters }, { id }, { org }) => {
      const lock = parameters['lock'] ?? '';
      if (!isId('lock', lock)) throw new CustodianError('not-found', 'no such lock holds');
      const wish = { lock, wants, term: body.term };
      const decided = await context.lockDesk.agree(org, actorOf(context, id), wish);
      if (!decided.allow) throw refusal(wishRefused(decided.reasons));
      return { done: decided.done, lock: lockViewOf(decided.lock) };
    },
  });
}

/** A device acts for whose it is. */
function actorOf({ access }: CustodianContext, device: Parameters<CustodianContext['access']['memberOf']>[0]): ActorOf {
  return () => ({ device, member: access.memberOf(device) });
}

function refusal({ code, message, next }: LockRefused): CustodianError {
  return new CustodianError(code, message, { next });
}
