import { poolDecisions, poolOrder, poolView } from '@ringfence/protocol/api';
import { setPool } from '../burst/set-pool.ts';
import { listDecisions, viewPool } from '../burst/view-pool.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { deviceRoute, workRoute, type Route } from './route.ts';

/** When jobs leave home, and what that costs. */
export function poolRoutes(context: ControlPlaneContext): Route[] {
  return [
    deviceRoute({
      method: 'PUT',
      path: '/v1/pool',
      summary: 'Sets when jobs may leave home and what that may cost; the same statement again changes nothing.',
      action: 'pool:set',
      body: poolOrder,
      answer: poolView,
      handle: async ({ body }, caller) => {
        await setPool(context, caller, body.pool);
        return viewPool(context, caller.org);
      },
    }),
    workRoute({
      method: 'GET',
      path: '/v1/pool',
      summary: 'Terms, gate, budget, what is away from home, and what it cost.',
      action: 'pool:read',
      answer: poolView,
      costly: true,
      handle: (_, caller) => viewPool(context, caller.org),
    }),
    workRoute({
      method: 'GET',
      path: '/v1/pool/decisions',
      summary: 'The signed decisions about leaving home and coming back, and the signed deletions.',
      action: 'pool:read',
      answer: poolDecisions,
      handle: (_, caller) => listDecisions(context, caller.org),
    }),
  ];
}
