import type { Claiming } from '../claim/claim.ts';
import type { CustodianContext } from '../context.ts';
import { attemptStoreRoutes } from './attempt-store-routes.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { evidenceRoutes } from './evidence-routes.ts';
import { enrolmentRoutes } from './enrolment-routes.ts';
import { jobRoutes } from './job-routes.ts';
import type { Route } from './route.ts';
import { ruleRoutes } from './rule-routes.ts';
import { secretRoutes } from './secret-routes.ts';
import { backupRoute, statusRoute } from './status-route.ts';
import { storeRoutes } from './store-routes.ts';

/** Everything that the payload API does: each route with who may call it, its action and its shapes. */
export function routeTable(
  context: CustodianContext,
  { claiming, onGrant }: { claiming: () => Claiming | undefined; onGrant: (result: string) => void },
): Route[] {
  return [
    ...enrolmentRoutes(context, claiming),
    ...storeRoutes(context),
    ...jobRoutes(context, onGrant),
    ...endpointRoutes(context),
    ...secretRoutes(context),
    ...evidenceRoutes(context),
    ...ruleRoutes(context),
    ...attemptStoreRoutes(context),
    statusRoute(context),
    backupRoute(context),
  ];
}
