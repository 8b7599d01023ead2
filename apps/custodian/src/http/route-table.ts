import { auditRoutes } from '../audit/audit-routes.ts';
import { certificateRoutes } from '../certificates/certificate-routes.ts';
import type { Claiming } from '../claim/claim.ts';
import type { CustodianContext } from '../context.ts';
import { contractRoutes } from '../contracts/contract-routes.ts';
import { attemptStoreRoutes } from './attempt-store-routes.ts';
import { dataRoutes } from './data-routes.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { evidenceRoutes } from './evidence-routes.ts';
import { enrolmentRoutes } from './enrolment-routes.ts';
import { lockRoutes } from '../locks/lock-routes.ts';
import { memberRoutes } from './member-routes.ts';
import { federationRoutes } from './federation-routes.ts';
import { identityRoutes } from '../job-identities/identity-routes.ts';
import { jobRoutes } from './job-routes.ts';
import { releaseRoutes } from './release-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { privacyRoutes } from './privacy-routes.ts';
import { peerRoutes } from '../peers/peer-routes.ts';
import { proposalRoutes } from './proposal-routes.ts';
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
    ...certificateRoutes(context),
    ...memberRoutes(context),
    ...proposalRoutes(context),
    ...lockRoutes(context),
    ...storeRoutes(context),
    ...dataRoutes(context),
    ...jobRoutes(context, onGrant),
    ...endpointRoutes(context),
    ...secretRoutes(context),
    ...evidenceRoutes(context),
    ...keyRoutes(context),
    ...ruleRoutes(context),
    ...releaseRoutes(context),
    ...contractRoutes(context),
    ...peerRoutes(context),
    ...privacyRoutes(context),
    ...federationRoutes(context),
    ...attemptStoreRoutes(context),
    ...identityRoutes(context),
    ...auditRoutes(context),
    statusRoute(context),
    backupRoute(context),
  ];
}
