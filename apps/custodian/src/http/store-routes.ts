import type { Readable } from 'node:stream';
import { toBase64Url, type AgentId } from '@ringfence/base';
import { parseDigest } from '@ringfence/crypto/sign';
import {
  artifactOpenAnswer,
  artifactRow,
  artifactsAnswer,
  chunksMissingAnswer,
  chunksMissingRequest,
  chunksRegister,
  datasetRequest,
  dedupeKeyAnswer,
  objectsAnswer,
  placedDatasetRequest,
  pruneAnswer,
  pruneRequest,
} from '@ringfence/protocol/payload';
import { addDataset } from '../artifacts/add-dataset.ts';
import { addPlacedDataset } from '../artifacts/add-placed-dataset.ts';
import { artifactRowOf, listVersions } from '../artifacts/artifact-rows.ts';
import { openArtifact } from '../artifacts/open-artifact.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { presentChunks, registerChunks } from '../objects/chunks.ts';
import { GrantedObjects } from '../objects/granted-objects.ts';
import { storeObjects } from '../objects/upload.ts';
import { UploadShares } from '../objects/upload-shares.ts';
import { prune } from '../pruning/prune.ts';
import { memberRoute, type Route } from './route.ts';

/** 20,000 chunk references. */
const LONGEST_CHUNKS = 8 * 1_048_576;

/** Routes of sealed objects and of what they are called. */
export function storeRoutes(context: CustodianContext): Route[] {
  return [...objectRoutes(context), ...chunkRoutes(context), ...datasetRoutes(context), ...artifactRoutes(context)];
}

function objectRoutes(context: CustodianContext): Route[] {
  const granted = new GrantedObjects(context);
  const shares = new UploadShares();
  const takeFor = (agent: AgentId) => (length: number) => {
    const { freeBytes, reserveBytes } = context.disk.state();
    shares.take(agent, length, { room: freeBytes - reserveBytes, now: context.clock.monotonic() });
  };
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/objects',
      summary: 'Stores a stream of sealed objects under their digests.',
      who: ['device', 'agent'],
      action: 'object:write',
      body: 'stream',
      answer: objectsAnswer,
      handle: async ({ body }, caller, claimed) => {
        const stream = body as unknown as Readable;
        const agent = caller.kind === 'agent' ? caller.id : null;
        const take = agent === null ? undefined : takeFor(agent);
        // A refused stream is read to its end: cut off in the middle, the link would hang with the next request on it.
        const pieces = stream.iterator({ destroyOnReturn: false });
        const stored = await storeObjects(context, { org: claimed.org, agent }, pieces, take).finally(() =>
          stream.resume(),
        );
        return { stored };
      },
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/objects/:digest',
      summary: 'The bytes of a sealed object; for an agent, one that a live grant of its own names.',
      who: ['device', 'agent'],
      action: 'object:read',
      handle: async ({ parameters }, caller, claimed) => {
        const digest = parseDigest(parameters['digest'] ?? '');
        const mayRead =
          digest !== undefined && (caller.kind === 'device' || (await granted.mayRead(claimed, caller.id, digest)));
        const found = mayRead ? await context.objects.read(digest) : undefined;
        if (found === undefined) throw new CustodianError('not-found', 'there is no such object');
        return { stream: found.stream, length: found.size };
      },
    }),
  ];
}

function chunkRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/dedupe-key',
      summary: 'The key by which devices that may store name chunks, and so recognise them.',
      who: ['device'],
      action: 'object:write',
      answer: dedupeKeyAnswer,
      handle: async () => ({ dedupeKey: toBase64Url(context.keys.dedupe.expose()) }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/chunks/missing',
      summary: 'Of these chunks, the ones that are here. An agent learns of none: its outputs travel whole.',
      who: ['device', 'agent'],
      action: 'object:write',
      body: chunksMissingRequest,
      answer: chunksMissingAnswer,
      longest: LONGEST_CHUNKS,
      handle: async ({ body }, caller, claimed) => ({
        present: caller.kind === 'agent' ? [] : await presentChunks(context, claimed, body.ids),
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/chunks',
      summary: 'Makes uploaded chunks known by their ids. An agent’s are not: their ids come from a key of its own.',
      who: ['device', 'agent'],
      action: 'object:write',
      body: chunksRegister,
      answer: objectsAnswer,
      longest: LONGEST_CHUNKS,
      handle: async ({ body }, caller, claimed) => {
        if (caller.kind === 'device') await registerChunks(context, claimed, body.chunks);
        return { stored: body.chunks.map(({ digest }) => digest) };
      },
    }),
  ];
}

function datasetRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/datasets',
      summary: 'Adds a dataset, or a newer version of one, with its label.',
      who: ['device'],
      action: 'dataset:add',
      body: datasetRequest,
      answer: artifactRow,
      handle: ({ body }, { id }, claimed) => addDataset(context, claimed, body, id),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/datasets/in-place',
      summary: 'Adds a dataset, or a newer version of one, that stays at its site.',
      who: ['device'],
      action: 'dataset:add',
      body: placedDatasetRequest,
      answer: artifactRow,
      handle: ({ body }, { id }, claimed) => addPlacedDataset(context, claimed, body, id),
    }),
  ];
}

function artifactRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/artifacts',
      summary: 'Datasets and outputs, the newest first.',
      who: ['device'],
      action: 'artifact:list',
      answer: artifactsAnswer,
      handle: async (_, __, claimed) => {
        const found = await context.store.withOrg(claimed.org, (tx) => listVersions(context, tx, claimed));
        return { artifacts: found.map(artifactRowOf) };
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/artifacts/prune',
      summary: 'Removes versions, and objects that nothing names any more.',
      who: ['device'],
      action: 'artifact:prune',
      body: pruneRequest,
      answer: pruneAnswer,
      handle: ({ body }, { id }, claimed) => prune(context, claimed, body, id),
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/artifacts/:name',
      summary: 'One artifact with the key of its manifest.',
      who: ['device'],
      action: 'artifact:read',
      resource: 'name',
      answer: artifactOpenAnswer,
      handle: ({ parameters, query }, { id: device }, claimed) => {
        const name = parameters['name'] ?? '';
        const version = query['version'] === undefined ? undefined : Math.trunc(Number(query['version'])) || 0;
        return openArtifact(context, claimed, { name, version, device });
      },
    }),
  ];
}
