import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { newId, systemRng as rng, type EpochMs, type Secret } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { createLinkIdentity, linkHttpServer, servePayload } from '@ringfence/client/payload-link';
import type { TlsKey } from '@ringfence/crypto/certificate';
import type { Envelope, SigningKey } from '@ringfence/crypto/sign';
import { codeProof, foldKeyring, makeJoinCode, signHead, type JoinCode } from '@ringfence/keyring';
import type { joinAnswer, JoinKeys } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import { keyringStatements } from '../attempt/keyring-statements.fixture.ts';
import { IDS, KEYS } from '../attempt/members.fixture.ts';

type Answer = Omit<z.input<typeof joinAnswer>, 'proof'>;

/** How a custodian differs from an honest one. */
export interface CustodianLies {
  /** The key of its links, where it is not the one in the code. */
  readonly tls?: TlsKey;
  readonly root?: SigningKey;
  /** What it writes into the keyring for the agent's own keys. */
  readonly keys?: (keys: JoinKeys) => JoinKeys;
  /** Changes its answer before it proves it. */
  readonly answer?: (answer: Answer) => Answer;
  readonly secret?: Secret;
  readonly message?: 'join-request' | 'join-answer';
  /** The agent's end of the link that its proof is about. */
  readonly client?: string;
  /** Says that the code is spent, and hands over its keyring when asked. */
  readonly spent?: boolean;
  /** Refuses every request with this. */
  readonly refuses?: { readonly code: string; readonly message: string; readonly next: string };
}

/** An address of a custodian, and a code for it. */
export async function custodianAtJoin(t: TestContext, lies: CustodianLies): Promise<{ code: JoinCode }> {
  const identity = await createLinkIdentity({ key: lies.tls ?? KEYS.custodianTls, clock, rng });
  let code: JoinCode | undefined;
  let keys: JoinKeys | undefined;
  const server = linkHttpServer((request, response) => {
    void (async () => {
      const body = await jsonOf(request);
      if (code === undefined) throw new TypeError('no code yet');
      if (request.url === '/v1/join') keys = (body as { keys: JoinKeys }).keys;
      if (keys === undefined) throw new TypeError('nobody has joined');
      if (lies.refuses !== undefined) return send(response, 400, { error: lies.refuses });
      const { keyring, head } = keyringFor(keys, lies);
      if (request.url !== '/v1/join') return send(response, 200, { statements: keyring, head });
      if (lies.spent === true) return send(response, 409, { error: { code: 'bad-code', message: 'spent' } });
      send(response, 200, answerTo(keys, code, lies));
    })().catch(() => response.destroy());
  });
  const admit = () => ({ allow: true, peer: { kind: 'unknown' } }) as const;
  const listener = servePayload({ server, identity, admit, clock, rng });
  t.after(() => listener.close(0));
  const { port } = await listener.listenLan({ host: '127.0.0.1', port: 0 });
  code = codeFor(`127.0.0.1:${port}`);
  return { code };
}

const CONTROL_PLANE = {
  id: IDS.controlPlane,
  url: 'https://127.0.0.1:1',
  root: KEYS.controlRoot.publicKey,
  caPin: null,
};

function codeFor(lan: string): JoinCode {
  const custodian = { id: IDS.custodian, tls: KEYS.custodianTls.publicKey, relay: null, lan };
  const route = { controlPlane: CONTROL_PLANE, orgRoot: KEYS.root.publicKey, custodian };
  return makeJoinCode(newId('joinCode', rng), route, rng);
}

function keyringFor(keys: JoinKeys, lies: CustodianLies): { keyring: Envelope[]; head: Envelope } {
  const { sign, tls, seal, allowProcess } = lies.keys?.(keys) ?? keys;
  const keyring = keyringStatements({ sign, tls, seal, allowProcess }, lies.root);
  const at: EpochMs = clock.now();
  return { keyring, head: signHead(foldKeyring(keyring), { custodian: IDS.custodian, epoch: 1, at }, KEYS.enrolment) };
}

function answerTo(keys: JoinKeys, code: JoinCode, lies: CustodianLies): object {
  const { id, ...route } = code.route.custodian;
  const honest: Answer = {
    agent: IDS.agent,
    org: IDS.org,
    ...keyringFor(keys, lies),
    controlPlane: CONTROL_PLANE,
    custodian: id,
    route,
  };
  const body = lies.answer?.(honest) ?? honest;
  const client = (lies.client ?? keys.tls) as JoinKeys['tls'];
  const link = { client, server: code.route.custodian.tls };
  const proof = codeProof(lies.secret ?? code.secret, { message: lies.message ?? 'join-answer', link, body });
  return { ...body, proof };
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const part of request) text += String(part);
  return text === '' ? {} : JSON.parse(text);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
