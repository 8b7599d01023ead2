import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { canonicalJson, errorFields, isId, jsonOf, type Clock, type Log, type OrgId } from '@ringfence/base';
import { peerOf } from '@ringfence/client/payload-link';
import { headMaxAge, type Keyring } from '@ringfence/keyring';
import { dataIndexRequest, type DataIndexLine } from '@ringfence/protocol/payload';
import { isOwner } from '../api/is-owner.ts';
import { readWithin } from '../http/read-within.ts';
import { sendRefusal } from '../http/send-json.ts';
import type { KeyringCopy } from '../link/keyring-copy.ts';
import { DataError } from './data-error.ts';
import type { DataPlaces } from './data-places.ts';

const PATH = '/v1/data/index';
const LONGEST_BODY = 8_192;

/** What the route needs of its link. */
export interface IndexRouteOptions {
  readonly keyring: KeyringCopy;
  readonly data: DataPlaces;
  /** The organisation of the link. */
  readonly org: OrgId;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whether a request is {@link indexRoute}'s. */
export function isIndexRequest({ method, url }: IncomingMessage): boolean {
  return method === 'POST' && url === PATH;
}

/** Answers `POST /v1/data/index`: the manifest of a folder of this site, for owners and officers, who alone may register data. */
export function indexRoute({ keyring, data, org, clock, log }: IndexRouteOptions) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: unknown) => {
      log.warn('data.index-failed', errorFields(error));
      response.destroy();
    });
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const peer = peerOf(request);
    if (peer.kind !== 'known' || !mayRegister(keyring.keyring, peer.id)) {
      request.resume();
      return sendRefusal(response, 403, 'not-authorised', 'owners and officers register data in place');
    }
    if (!keyring.isCurrent(headMaxAge('restricted'))) {
      request.resume();
      return sendRefusal(
        response,
        503,
        'stale-keyring',
        'this agent has not heard from its custodian who may register',
      );
    }
    const asked = await readWithin(request, clock, readBody(request));
    if (asked === undefined) return sendRefusal(response, 400, 'bad-request', 'this takes the path of a folder');
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
    await sendIndex(response, data, { path: asked.path, org });
    log.info('data.indexed', { device: peer.id });
  }
}

async function sendIndex(
  response: ServerResponse,
  data: DataPlaces,
  { path, org }: { readonly path: string; readonly org: OrgId },
): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  const send = (line: DataIndexLine): boolean => response.write(`${canonicalJson(line)}\n`);
  try {
    const onProgress = (files: number, bytes: number): void => void send({ kind: 'progress', files, bytes });
    const { entries, ...found } = await data.index(path, { org, onProgress, signal: left.signal });
    for (const entry of entries) if (!send(entry)) await once(response, 'drain', { signal: left.signal });
    send({ kind: 'end', ...found });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const message = error.next === undefined ? error.message : `${error.message}; ${error.next}`;
    send({ kind: 'refused', code: error.code, message: message.slice(0, 4_096) });
  }
  response.end();
}

function mayRegister(keyring: Keyring, device: string): boolean {
  if (!isId('device', device) || keyring.device(device) === undefined) return false;
  return keyring.isOfficer(device) || isOwner(keyring, device);
}

async function readBody(request: IncomingMessage): Promise<{ readonly path: string } | undefined> {
  let text = '';
  request.setEncoding('utf8');
  for await (const part of request) {
    text += String(part);
    if (text.length > LONGEST_BODY) return undefined;
  }
  return dataIndexRequest.safeParse(jsonOf(text)).data;
}
