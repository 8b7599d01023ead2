import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AgentId, Clock, Rng } from '@ringfence/base';
import { peerOf, type PeerName } from '@ringfence/client/payload-link';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import { parseDigest, type Digest } from '@ringfence/crypto/sign';
import { sendJson, sendRefusal } from '../../http/send-json.ts';
import { bodyOf } from '../../serving/request-body.ts';
import { DeskPeer, type NamedPeer } from './desk-peer.ts';

/** A message of secure aggregation is a chunk of 1 MiB at most, with what it says of itself. */
export const LARGEST_MESSAGE = 2 * 1_048_576;
/** A poll that brings nothing is answered after so long. */
export const POLL_MS = 20_000;
/** Header with the number of a message in its session. */
export const NUMBER_HEADER = 'ringfence-message';

/** A contract whose aggregator runs here. */
export interface DeskContract {
  readonly contract: Digest;
  readonly peers: readonly NamedPeer[];
  /** A peer began anew: what it said and was told before does not count. */
  readonly onSession: (peer: AgentId) => void;
  readonly onMessage: (peer: AgentId, bytes: Uint8Array) => void;
  /** The bytes of a model that clients may have. */
  readonly model: (digest: Digest) => Uint8Array | undefined;
}

/** The desk of one contract while its aggregator runs. */
export interface OpenDesk {
  /** Keeps a message for a peer; false when it has no session. */
  send(peer: AgentId, bytes: Uint8Array): boolean;
  /** Peers that wait for a message, or asked for something in the last `within` milliseconds. */
  present(within: number): readonly AgentId[];
  close(): void;
}

interface Entry {
  readonly open: DeskContract;
  readonly peers: ReadonlyMap<TlsPublicKey, DeskPeer>;
}

/** Who is let in for a contract alone. */
export const FEDERATION_PEER: PeerName = { kind: 'known', id: 'federation-peer' };

/** Whether a link was let in for a contract alone. */
export function isFederationPeer(peer: PeerName): boolean {
  return peer.kind === 'known' && FEDERATION_PEER.kind === 'known' && peer.id === FEDERATION_PEER.id;
}

const PREFIX = '/v1/federations/';
const TARGET =
  /^\/v1\/federations\/([0-9a-f]{64})\/(?:(sessions)|([0-9a-f]{32})\/(?:(inbox)\?after=(\d{1,9})|(messages)\/(\d{1,9})|(models)\/([0-9a-f]{64})\?from=(\d{1,12})))$/;

/** Whether a request is one for {@link FederationDesk}. */
export function isFederationRequest(target: string): boolean {
  return target.startsWith(PREFIX);
}

/**
 * Where clients of contracts reach the aggregators that run at this agent. Each contract's peers, known by the keys that it names, see that
 * contract and nothing else, whoever else they are.
 */
export class FederationDesk {
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #onChanged: () => void;
  readonly #entries = new Map<Digest, Entry>();

  /** `onChanged` is called when other keys are admitted than before. */
  constructor(parts: { clock: Clock; rng: Rng; onChanged: () => void }) {
    this.#clock = parts.clock;
    this.#rng = parts.rng;
    this.#onChanged = parts.onChanged;
  }

  /** Whether a contract that is open here names this key. */
  admits(key: TlsPublicKey): boolean {
    return [...this.#entries.values()].some(({ peers }) => peers.has(key));
  }

  /** Opens a contract; throws TypeError when it is open already. */
  open(open: DeskContract): OpenDesk {
    const { contract } = open;
    if (this.#entries.has(contract)) throw new TypeError('a contract has one aggregator at a time');
    const peers = new Map(open.peers.map((named) => [named.tls, new DeskPeer(named, this.#clock)]));
    this.#entries.set(contract, { open, peers });
    this.#onChanged();
    const byAgent = new Map([...peers.values()].map((peer) => [peer.named.agent, peer]));
    return {
      send: (agent, bytes) => byAgent.get(agent)?.push(bytes) ?? false,
      present: (within) => [...byAgent].filter(([, peer]) => peer.isPresent(within)).map(([agent]) => agent),
      close: () => {
        if (!this.#entries.delete(contract)) return;
        for (const peer of peers.values()) peer.begin(this.#rng);
        this.#onChanged();
      },
    };
  }

  /** Answers a request of a peer. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    void this.#answer(request, response).catch(() => response.destroy());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const match = TARGET.exec(request.url ?? '');
    const contract = match?.[1] === undefined ? undefined : parseDigest(match[1]);
    const entry = contract === undefined ? undefined : this.#entries.get(contract);
    const peer = entry?.peers.get(peerOf(request).key);
    // The same answer for a contract that is not here and for one that is not this peer's.
    if (match === null || entry === undefined || peer === undefined) return notHere(request, response);
    const [, , sessions, session = '', inbox, after = '', messages, number = '', models, digest = '', from = ''] =
      match;
    if (sessions !== undefined && request.method === 'POST') {
      request.resume();
      sendJson(response, 200, { session: peer.begin(this.#rng) });
      return entry.open.onSession(peer.named.agent);
    }
    if (sessions !== undefined) return notHere(request, response);
    if (!peer.holds(session)) {
      request.resume();
      return sendRefusal(response, 410, 'session-over', 'this session is over: begin another');
    }
    if (messages !== undefined && request.method === 'POST')
      return this.#take({ entry, peer, session, number: Number(number) }, request, response);
    request.resume();
    if (request.method !== 'GET') return notHere(request, response);
    if (inbox !== undefined) return sendNext(peer, { session, after: Number(after) }, response);
    if (models !== undefined) return sendModel(modelOf(entry, digest), Number(from), response);
  }

  async #take(
    { entry, peer, session, number }: { entry: Entry; peer: DeskPeer; session: string; number: number },
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const body = await peer.whileReading(() => bodyOf(request, LARGEST_MESSAGE));
    if (body === undefined) {
      request.resume();
      return sendRefusal(response, 503, 'busy', 'other messages of this agent are being read');
    }
    if (!(body instanceof Uint8Array)) {
      request.resume();
      return sendRefusal(response, 413, 'too-large', `a message has 1 to ${LARGEST_MESSAGE} bytes`);
    }
    // While it was read, another may have been taken, or the session ended.
    if (!peer.holds(session)) return sendRefusal(response, 410, 'session-over', 'this session is over: begin another');
    const judged = peer.judge(number);
    if (judged === 'gap') return sendRefusal(response, 409, 'gap', 'a message before this one has not arrived');
    if (judged === 'next') {
      peer.took();
      entry.open.onMessage(peer.named.agent, body);
    }
    response.writeHead(204).end();
  }
}

function modelOf({ open }: Entry, text: string): Uint8Array | undefined {
  const digest = parseDigest(text);
  return digest === undefined ? undefined : open.model(digest);
}

async function sendNext(
  peer: DeskPeer,
  { session, after }: { session: string; after: number },
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const message = await peer.next(after, POLL_MS, gone.signal);
  if (!peer.holds(session)) return sendRefusal(response, 410, 'session-over', 'this session is over: begin another');
  if (message === undefined) return void response.writeHead(204).end();
  const { bytes, number } = message;
  response
    .writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytes.length,
      [NUMBER_HEADER]: number,
    })
    .end(bytes);
}

/** A model from byte `from` on, so that a link which breaks costs what it had not brought yet. */
function sendModel(model: Uint8Array | undefined, from: number, response: ServerResponse): void {
  if (model === undefined || from > model.length)
    return sendRefusal(response, 404, 'not-found', 'this model is not handed out');
  const rest = model.subarray(from);
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': rest.length }).end(rest);
}

function notHere(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  sendRefusal(response, 404, 'not-found', 'there is no such federation here for this agent');
}
