import { isId, type ReleaseId } from '@ringfence/base';
import {
  openingAnswer,
  openingRequest,
  releaseRequest,
  releaseRow,
  releasesAnswer,
  releaseWord,
  reviewAnswer,
} from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { decideRelease } from '../release/decide-release.ts';
import { openStream } from '../release/open-stream.ts';
import { listRequests, listRules } from '../release/release-rows.ts';
import { requestRelease } from '../release/request-release.ts';
import { reviewRelease } from '../release/review-release.ts';
import { addRule, endWord } from '../release/standing-rules.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of what owners of data release: members ask, owners sign, agents ask before they show something. */
export function releaseRoutes(context: CustodianContext): Route[] {
  return [...askRoutes(context), ...decideRoutes(context), ...ruleRoutes(context), openingRoute(context)];
}

async function listAll(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
): Promise<ReturnType<typeof releasesAnswer.parse>> {
  return context.store.withOrg(claimed.org, async (tx) => ({
    requests: await listRequests(context, tx, claimed),
    rules: await listRules(context, tx),
  }));
}

function askRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/releases',
      summary: 'Asks the owners of the data to release objects, by their digests.',
      who: ['device'],
      action: 'release:request',
      body: releaseRequest,
      answer: releaseRow,
      handle: ({ body }, { id }, claimed) => requestRelease(context, claimed, body, id),
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/releases',
      summary: 'Requests and standing rules, the newest first.',
      who: ['device'],
      action: 'release:read',
      answer: releasesAnswer,
      handle: (_, __, claimed) => listAll(context, claimed),
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/releases/:request',
      summary:
        'One request with what an owner needs to decide it; with `preview=1` the keys, for an owner who may look.',
      who: ['device'],
      action: 'release:read',
      answer: reviewAnswer,
      handle: ({ parameters, query }, { id: device }, claimed) =>
        reviewRelease(context, claimed, { request: requestIn(parameters), device, preview: query['preview'] === '1' }),
    }),
  ];
}

function decideRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/releases/:request/approve',
      summary: 'Keeps an owner’s signed release.',
      who: ['device'],
      action: 'release:approve',
      body: releaseWord,
      answer: releaseRow,
      handle: ({ body, parameters }, { id: device }, claimed) => {
        const request = requestIn(parameters);
        return decideRelease(context, claimed, { request, envelope: body.statement, device, decision: 'released' });
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/releases/:request/refuse',
      summary: 'Keeps an owner’s signed refusal.',
      who: ['device'],
      action: 'release:refuse',
      body: releaseWord,
      answer: releaseRow,
      handle: ({ body, parameters }, { id: device }, claimed) => {
        const request = requestIn(parameters);
        return decideRelease(context, claimed, { request, envelope: body.statement, device, decision: 'refused' });
      },
    }),
  ];
}

function ruleRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/release-rules',
      summary: 'Keeps a standing rule that the data’s owner signed.',
      who: ['device'],
      action: 'release:approve',
      body: releaseWord,
      answer: releasesAnswer,
      handle: async ({ body }, { id }, claimed) => {
        await addRule(context, claimed, body.statement, id);
        return listAll(context, claimed);
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/release-ends',
      summary: 'Ends a release or a rule by an owner’s signed word.',
      who: ['device'],
      action: 'release:refuse',
      body: releaseWord,
      answer: releasesAnswer,
      handle: async ({ body }, { id }, claimed) => {
        await endWord(context, claimed, body.statement, id);
        return listAll(context, claimed);
      },
    }),
  ];
}

function openingRoute(context: CustodianContext): Route {
  return memberRoute({
    method: 'POST',
    path: '/v1/openings',
    summary:
      'Decides whether a device is shown the log or the metrics of an attempt on confidential or restricted data.',
    who: ['agent'],
    action: 'opening:request',
    body: openingRequest,
    answer: openingAnswer,
    handle: ({ body }, { id }, claimed) => openStream(context, claimed, body, id),
  });
}

function requestIn(parameters: Readonly<Record<string, string>>): ReleaseId {
  const id = parameters['request'] ?? '';
  if (isId('release', id)) return id;
  throw new CustodianError('not-found', 'there is no such request', { next: 'see `ringfence release ls`' });
}
