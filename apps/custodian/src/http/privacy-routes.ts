import {
  contractOnlyRequest,
  privacyAnswer,
  privacyBudgetRequest,
  privacyRaiseRequest,
  type PrivacyRow,
} from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { requireDataset, setBudget } from '../privacy-ledger/budgets.ts';
import { setContractOnly } from '../privacy-ledger/contract-only.ts';
import { privacyStatus } from '../privacy-ledger/privacy-status.ts';
import { takeStatement } from '../proposals/propose.ts';
import type { Tx } from '../store/open-store.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of the privacy ledger: what may be lost of datasets, and what was. Each change answers with the dataset's account. */
export function privacyRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/privacy',
      summary: 'What may be lost of datasets, what was, and each release that was not counted.',
      who: ['device'],
      action: 'artifact:list',
      answer: privacyAnswer,
      handle: async ({ query }, _, claimed) => ({
        datasets: await context.store.withOrg(claimed.org, (tx) => privacyStatus(context, tx, claimed, query['name'])),
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/privacy/budgets',
      summary: 'Says what may be lost of a dataset; later only less.',
      who: ['device'],
      action: 'dataset:budget',
      body: privacyBudgetRequest,
      answer: privacyAnswer,
      handle: ({ body }, { id: device }, claimed) =>
        changed(context, claimed, body.name, (tx) => setBudget(context, tx, claimed, { ...body, device })),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/privacy/raises',
      summary:
        'Lets more be lost of a dataset than was promised, or settles what was lost before a restore, by its owner’s and officers’ signed word.',
      who: ['device'],
      action: 'dataset:budget',
      assured: 'by-handler',
      body: privacyRaiseRequest,
      answer: privacyAnswer,
      handle: async ({ body: { statement } }, { id: device }, claimed) => {
        await takeStatement(context, claimed, { kind: 'privacy-budget', statement, device });
        return { datasets: await context.store.withOrg(claimed.org, (tx) => privacyStatus(context, tx, claimed)) };
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/privacy/contract-only',
      summary: 'Keeps a dataset for federations alone, or, by its owner, no longer.',
      who: ['device'],
      action: 'dataset:add',
      body: contractOnlyRequest,
      answer: privacyAnswer,
      handle: ({ body: { name, on } }, { id: device }, claimed) =>
        changed(context, claimed, name, async (tx) =>
          setContractOnly(context, tx, claimed, { artifact: await requireDataset(context, tx, name), device, on }),
        ),
    }),
  ];
}

type Change = (tx: Tx) => Promise<void>;

async function changed(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  name: string,
  change: Change,
): Promise<{ datasets: PrivacyRow[] }> {
  return context.store.withOrg(claimed.org, async (tx) => {
    await change(tx);
    return { datasets: await privacyStatus(context, tx, claimed, name) };
  });
}
