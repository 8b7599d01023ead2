import { parseDigest } from '@ringfence/crypto/sign';
import { MOST_CONTRACT_FILE } from '@ringfence/protocol/federation';
import {
  contractAnswer,
  contractOfferAnswer,
  contractOfferRequest,
  contractRequest,
  contractsAnswer,
  contractWithdrawalRequest,
} from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { memberRoute, type Route } from '../http/route.ts';
import { keptContracts } from './contract-rows.ts';
import { contractRowOf } from './contract-standing.ts';
import { keepContract, readKept } from './keep-contract.ts';
import { offerContract } from './offer.ts';
import { withdrawContract } from './withdraw-contract.ts';

/** Room for what stands around a file in a body. */
const LONGEST = MOST_CONTRACT_FILE + 4_096;

/** Routes of contracts with other organisations: members read them, whoever may binds the organisation and takes it out again. */
export function contractRoutes(context: CustodianContext): Route[] {
  return [...readRoutes(context), ...changeRoutes(context)];
}

function readRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/contracts',
      summary: 'The contracts that this organisation has signed, and where each stands.',
      who: ['device'],
      action: 'contract:read',
      answer: contractsAnswer,
      handle: async (_, __, claimed) => {
        const kept = await context.store.withOrg(claimed.org, (tx) => keptContracts(context, tx), { readOnly: true });
        return { contracts: kept.map((contract) => contractRowOf(context, claimed, contract)) };
      },
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/contracts/:contract',
      summary: 'One contract, with all signatures and keyrings that came so far.',
      who: ['device'],
      action: 'contract:read',
      answer: contractAnswer,
      handle: ({ parameters }, _, claimed) => readKept(context, claimed, parseDigest(parameters['contract'] ?? '')),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/contracts/offer',
      summary: 'What others need to know of this organisation, its agents and datasets to draft a contract with it.',
      who: ['device'],
      action: 'contract:read',
      body: contractOfferRequest,
      answer: contractOfferAnswer,
      handle: ({ body }, _, claimed) => offerContract(context, claimed, body),
    }),
  ];
}

function changeRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/contracts',
      summary: 'Keeps a contract that a device of this organisation has signed, or more signatures of it.',
      who: ['device'],
      action: 'contract:sign',
      body: contractRequest,
      answer: contractAnswer,
      longest: LONGEST,
      handle: ({ body: { file } }, { id: device }, claimed) => keepContract(context, claimed, { file, device }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/contracts/:contract/withdraw',
      summary: 'Keeps a party’s signed word that it takes part no longer; its next round does not begin.',
      who: ['device'],
      action: 'contract:withdraw',
      body: contractWithdrawalRequest,
      answer: contractAnswer,
      handle: ({ body: { withdrawal }, parameters }, { id: device }, claimed) => {
        const contract = parseDigest(parameters['contract'] ?? '');
        return withdrawContract(context, claimed, { contract, withdrawal, device });
      },
    }),
  ];
}
