import { noticeList } from '@ringfence/protocol/api';
import { accountRoute, type Route } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { readNotices } from './read-notices.ts';

/** What members are told. */
export function noticeRoutes(context: ControlPlaneContext): Route[] {
  return [
    accountRoute({
      method: 'GET',
      path: '/v1/notices',
      summary: 'What who asks is told of their account, and officers of what waits or ends soon; newest first.',
      answer: noticeList,
      handle: async (_, asker) => ({ notices: await readNotices(context, asker) }),
    }),
  ];
}
