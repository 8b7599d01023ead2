import { isId } from '@ringfence/base';
import { lockApproval, lockDecision, lockList, lockView, wantedLock } from '@ringfence/protocol/api';
import type { LockTarget } from '@ringfence/policy/locks';
import { lockViewOf, type LockWish } from '@ringfence/store/locks';
import { ControlPlaneError } from '../control-plane-error.ts';
import { sharedRoute, type Route } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { agreeOnLock, listLocks, setOfficersLock } from './locks.ts';

/** Who is cut off at the control plane. */
export function lockRoutes(context: ControlPlaneContext): Route[] {
  return [
    sharedRoute({
      method: 'GET',
      path: '/v1/locks',
      summary: 'The locks that hold at the control plane.',
      action: 'lock:list',
      answer: lockList,
      handle: async (_, asker) => ({ locks: (await listLocks(context, asker.org)).map(lockViewOf) }),
    }),
    sharedRoute({
      method: 'POST',
      path: '/v1/locks',
      summary: 'Sets a lock: one officer’s, which ends after 24 hours unless the quorum confirms it.',
      action: 'lock:set',
      body: wantedLock,
      answer: lockView,
      handle: async ({ body }, asker) => lockViewOf(await setOfficersLock(context, asker, body.target as LockTarget)),
    }),
    agreement(context, 'confirm', 'An officer agrees that a lock holds until it is lifted.'),
    agreement(context, 'lift', 'An officer agrees that a lock ends.'),
  ];
}

function agreement(context: ControlPlaneContext, wants: LockWish, summary: string): Route {
  return sharedRoute({
    method: 'POST',
    path: `/v1/locks/:lock/${wants}`,
    summary,
    action: `lock:${wants}`,
    body: lockApproval,
    answer: lockDecision,
    handle: async ({ body, parameters }, asker) => {
      const lock = parameters['lock'] ?? '';
      if (!isId('lock', lock)) throw new ControlPlaneError('not-found', 'no such lock holds');
      const { done, lock: now } = await agreeOnLock(context, asker, { lock, wants, term: body.term });
      return { done, lock: lockViewOf(now) };
    },
  });
}
