import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { canonicalBytes, type EpochMs, type newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { createLinkIdentity, linkHttpServer, servePayload } from '@ringfence/client/payload-link';
import { sealTo } from '@ringfence/crypto/seal';
import { sha256Hex, statementDigest, type Envelope, type SigningKey } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { EvidenceRow, GrantPayload, Workload } from '@ringfence/protocol/payload';
import type { GrantStatement } from '@ringfence/protocol/statements';
import { IDS, KEYS } from './members.fixture.ts';

const HOUR = 3_600_000;

/** What the custodian's double is told to do. */
export interface CustodianWishes {
  headAge: number;
  /** Changes the grant before it is signed. */
  grant: (body: GrantStatement) => GrantStatement;
  signer: SigningKey;
  refuse: boolean;
  /** What it keeps about sites. */
  evidence: EvidenceRow[];
  /** The agent's first copy of the keyring lacks so many of its newest statements. */
  unseen: number;
  /** Whoever asks gets no answer. */
  away: boolean;
  workload: (workload: Workload) => Workload;
  /** What the device signed, as it lies at the custodian. */
  signed: Workload;
  /** What it says to an agent that asks whether it may show something. */
  opening?: { result: 'opened' } | { result: 'refused'; reason: 'not-released' };
  /** The profile that comes with a grant. */
  profile?: Envelope;
}

/** A custodian that grants what it is asked for, as its wishes say. */
export interface CustodianDouble {
  readonly requests: string[];
  readonly head: () => Envelope;
  /** The statements of its keyring, the first one's number being 0. */
  readonly statements: readonly Envelope[];
  readonly wishes: CustodianWishes;
  readonly seal: Parameters<typeof sealTo>[0];
}

/** Serves the double on the loopback interface; resolves with its address. */
export async function serveCustodian(t: TestContext, double: CustodianDouble): Promise<string> {
  const identity = await createLinkIdentity({ key: KEYS.custodianTls, clock, rng });
  const server = linkHttpServer(
    (request, response) => void answer(request, response, double).catch(() => response.destroy()),
  );
  const admit = () => ({ allow: true, peer: { kind: 'unknown' } }) as const;
  const listener = servePayload({ server, identity, admit, clock, rng });
  t.after(() => listener.close(0));
  const { port } = await listener.listenLan({ host: '127.0.0.1', port: 0 });
  return `127.0.0.1:${port}`;
}

async function answer(request: IncomingMessage, response: ServerResponse, double: CustodianDouble): Promise<void> {
  const { pathname: path, searchParams } = new URL(request.url ?? '', 'https://custodian');
  double.requests.push(path);
  if (double.wishes.away) return void response.destroy();
  let text = '';
  for await (const part of request) text += String(part);
  const body = text === '' ? {} : (JSON.parse(text) as Record<string, Envelope>);
  const send = (value: object): void =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const after = Number(searchParams.get('after'));
  if (path === '/v1/keyring') return send({ statements: double.statements.slice(after + 1), head: double.head() });
  if (path === '/v1/evidence') return send({ evidence: double.wishes.evidence });
  if (path === '/v1/openings' && double.wishes.opening !== undefined) return send(double.wishes.opening);
  if (path === '/v1/grants') return send(await grantOf(body, double));
  if (path === '/v1/commits') return send({ result: 'committed', commit: commitOf(body) });
  return send({ stored: true });
}

async function grantOf(
  { job, label, receipt, lease }: Record<string, Envelope>,
  { wishes, seal }: CustodianDouble,
): Promise<object> {
  if (wishes.refuse || job === undefined || label === undefined || receipt === undefined || lease === undefined)
    return { result: 'refused', reason: 'locked' };
  const claimed = JSON.parse(Buffer.from(lease.payload, 'base64').toString()) as {
    job: ReturnType<typeof newId<'job'>>;
    attempt: number;
  };
  const now = clock.now();
  const grant = wishes.grant({
    v: 1,
    org: IDS.org,
    job: claimed.job,
    attempt: claimed.attempt,
    agent: IDS.agent,
    custodian: IDS.custodian,
    jobDigest: statementDigest(job),
    leaseDigest: statementDigest(lease),
    receiptDigest: statementDigest(receipt),
    labelDigest: statementDigest(label),
    payloadDigest: sha256Hex(canonicalBytes(wishes.signed)),
    isolation: wishes.signed.isolation,
    epoch: 1,
    at: now,
    notAfter: (now + HOUR) as EpochMs,
  });
  const payload: GrantPayload = {
    v: 1,
    workload: wishes.workload(wishes.signed),
    project: IDS.project,
    mounts: [],
    outputs: [],
    ...(wishes.profile === undefined ? {} : { profile: wishes.profile }),
  };
  const info = { purpose: 'grant', org: IDS.org, job: claimed.job, attempt: claimed.attempt } as const;
  const sealed = await sealTo(seal, { info, aad: new Uint8Array() }, canonicalBytes(payload));
  const envelope = signStatement('grant', grant, [wishes.signer]);
  return { result: 'granted', grant: envelope, payload: Buffer.from(sealed).toString('base64') };
}

function commitOf(body: Record<string, unknown>): Envelope {
  const run = {
    job: body['job'] as ReturnType<typeof newId<'job'>>,
    attempt: body['attempt'] as number,
    agent: IDS.agent,
  };
  const commit = {
    v: 1 as const,
    org: IDS.org,
    ...run,
    custodian: IDS.custodian,
    epoch: 1,
    sensitivity: 'internal' as const,
    outputs: [],
    at: clock.now(),
  };
  return signStatement('commit', commit, [KEYS.enrolment]);
}
