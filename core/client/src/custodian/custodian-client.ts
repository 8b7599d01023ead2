import { Readable } from 'node:stream';
import type { AgentId, JobId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import { auditHead, auditTile, type AuditHead } from '@ringfence/protocol/api';
import * as payload from '@ringfence/protocol/payload';
import type { z } from 'zod';
import { ClientError } from '../error.ts';
import { LockCalls } from '../api/index.ts';
import { DataCalls } from './data-calls.ts';
import { AccessCalls } from './access-calls.ts';
import { ContractCalls } from './contract-calls.ts';
import { FederationCalls } from './federation-calls.ts';
import { IdentityCalls } from './identity-calls.ts';
import { KeyCalls, type CustodianCall } from './key-calls.ts';
import { PrivacyCalls } from './privacy-calls.ts';
import { readJson, refusal } from './read-refusal.ts';
import { ReleaseCalls } from './release-calls.ts';
import { RuleCalls } from './rule-calls.ts';
import {
  requestPayload,
  streamPayload,
  type PayloadAgent,
  type RequestBody,
  type StreamedResponse,
} from '../payload-link/index.ts';

type Body<Schema extends z.ZodType> = z.input<Schema>;
type Answer<Schema extends z.ZodType> = Promise<z.output<Schema>>;

const LARGEST_ANSWER = 64 * 1024 * 1024;

/** A typed client of one custodian over a payload link; methods throw ClientError, or ApiRefusal when the custodian says no. */
export class CustodianClient {
  readonly #agent: PayloadAgent;
  readonly #onLapsed: (() => void) | undefined;
  readonly #via: CustodianCall = (method, path, answer, body) => this.#call(method, path, answer, body);
  /** Who is cut off at the custodian. */
  readonly locks: LockCalls = new LockCalls(this.#via);
  /** Members, what they show, and what takes two of them. */
  readonly access: AccessCalls = new AccessCalls(this.#via);
  /** What officers sign. */
  readonly rules: RuleCalls = new RuleCalls(this.#via);
  /** What may be lost of datasets, and what was. */
  readonly privacy: PrivacyCalls = new PrivacyCalls(this.#via);
  /** Rounds of federations. */
  readonly federations: FederationCalls = new FederationCalls(this.#via);
  /** Tokens of jobs. */
  readonly identities: IdentityCalls = new IdentityCalls(this.#via);
  /** The hierarchy of keys. */
  readonly keys: KeyCalls = new KeyCalls(this.#via);
  /** Contracts with other organisations. */
  readonly contracts: ContractCalls = new ContractCalls(this.#via);
  /** What owners of data release. */
  readonly release: ReleaseCalls = new ReleaseCalls(this.#via);

  /** `onLapsed` is told when the custodian takes the certificate of a link no more: what can be asked again is then asked over another link. */
  constructor(agent: PayloadAgent, onLapsed?: () => void) {
    this.#agent = agent;
    this.#onLapsed = onLapsed;
  }

  /** Closes the links. */
  close(): void {
    this.#agent.destroy();
  }

  join(body: Body<typeof payload.joinRequest>): Answer<typeof payload.joinAnswer> {
    return this.#call('POST', '/v1/join', payload.joinAnswer, body);
  }

  claimKeys(body: Body<typeof payload.claimKeysRequest>): Answer<typeof payload.claimKeysAnswer> {
    return this.#call('POST', '/v1/claim/keys', payload.claimKeysAnswer, body);
  }

  claim(body: Body<typeof payload.claimRequest>): Answer<typeof payload.claimAnswer> {
    return this.#call('POST', '/v1/claim', payload.claimAnswer, body);
  }

  /** Statements after number `after` (-1 for all), and the signed head. */
  keyring(after: number): Answer<typeof payload.keyringAnswer> {
    return this.#call('GET', `/v1/keyring?after=${after}`, payload.keyringAnswer);
  }

  appendStatement(statement: Envelope): Answer<typeof payload.keyringAnswer> {
    return this.#call('POST', '/v1/keyring', payload.keyringAnswer, { statement });
  }

  makeJoinCode(body: Body<typeof payload.joinCodeRequest>): Answer<typeof payload.joinCodeAnswer> {
    return this.#call('POST', '/v1/join-codes', payload.joinCodeAnswer, body);
  }

  async agents(): Promise<z.output<typeof payload.agentsAnswer>['agents']> {
    return (await this.#call('GET', '/v1/agents', payload.agentsAnswer)).agents;
  }

  removeAgent(agent: AgentId, body: Body<typeof payload.agentRemoval>): Answer<typeof payload.agentsAnswer> {
    return this.#call('POST', `/v1/agents/${agent}/remove`, payload.agentsAnswer, body);
  }

  renewAdmission(agent: AgentId, body: Body<typeof payload.admissionRenewal>): Answer<typeof payload.keyringAnswer> {
    return this.#call('POST', `/v1/agents/${agent}/renew`, payload.keyringAnswer, body);
  }

  /** A certificate for this agent's own key, over a link that proves it. */
  certify(agent: AgentId): Answer<typeof payload.agentCertificateAnswer> {
    return this.#call('POST', `/v1/agents/${agent}/certificate`, payload.agentCertificateAnswer);
  }

  /** The custodian's audit log: its key and its newest checkpoint. */
  audit(): Promise<AuditHead> {
    return this.#call('GET', '/v1/audit', auditHead);
  }

  /** The bytes of a tile of that log, or of a bundle of its entries. */
  async auditTile(level: number | 'entries', index: number, width: number): Promise<Uint8Array> {
    const { data } = await this.#call('GET', `/v1/audit/tiles/${level}/${index}/${width}`, auditTile);
    return Buffer.from(data, 'base64');
  }

  /** What the custodian has seen of the control plane's log, and what witnesses accuse either log of. */
  auditWitnessed(): Answer<typeof payload.auditWitnessed> {
    return this.#call('GET', '/v1/audit/witnessed', payload.auditWitnessed);
  }

  /** Witnesses that found something, behind the id `after`. */
  auditAccusers(after: string): Answer<typeof payload.auditAccusers> {
    return this.#call('GET', `/v1/audit/accusers?after=${after}`, payload.auditAccusers);
  }

  /** Hands in an agent's cosignature, or what it found, about either log. */
  auditWord(body: Body<typeof payload.witnessWord>): Answer<typeof payload.witnessWordAnswer> {
    return this.#call('POST', '/v1/audit/witnesses', payload.witnessWordAnswer, body);
  }

  status(): Answer<typeof payload.custodianStatus> {
    return this.#call('GET', '/v1/status', payload.custodianStatus);
  }

  /** The key by which chunks get their ids, in base64url. */
  async dedupeKey(): Promise<string> {
    return (await this.#call('GET', '/v1/dedupe-key', payload.dedupeKeyAnswer)).dedupeKey;
  }

  /** Of these chunks, the ones that are stored, with all that a manifest needs. */
  async presentChunks(ids: readonly Digest[]): Promise<payload.ChunkReference[]> {
    return (await this.#call('POST', '/v1/chunks/missing', payload.chunksMissingAnswer, { ids: [...ids] })).present;
  }

  async registerChunks(chunks: readonly payload.ChunkReference[]): Promise<void> {
    await this.#call('POST', '/v1/chunks', payload.objectsAnswer, { chunks: [...chunks] });
  }

  /** Uploads sealed objects in one stream; each is stored under the SHA-256 of its bytes. */
  async uploadObjects(objects: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<readonly Digest[]> {
    const stream = Readable.from(framed(objects));
    return (await this.#call('POST', '/v1/objects', payload.objectsAnswer, { stream })).stored;
  }

  /** The bytes of a sealed object, as a stream; the caller checks the digest. */
  async object(digest: Digest): Promise<Readable> {
    return (await this.#stream('GET', `/v1/objects/${digest}`)).body;
  }

  addDataset(body: Body<typeof payload.datasetRequest>): Answer<typeof payload.artifactRow> {
    return this.#call('POST', '/v1/datasets', payload.artifactRow, body);
  }

  /** Registers data that stays at the site of the agent that read it. */
  addPlacedDataset(body: Body<typeof payload.placedDatasetRequest>): Answer<typeof payload.artifactRow> {
    return this.#call('POST', '/v1/datasets/in-place', payload.artifactRow, body);
  }

  async artifacts(): Promise<payload.ArtifactRow[]> {
    return (await this.#call('GET', '/v1/artifacts', payload.artifactsAnswer)).artifacts;
  }

  /** Removes versions, and objects that nothing names any more. */
  prune(body: Body<typeof payload.pruneRequest>): Answer<typeof payload.pruneAnswer> {
    return this.#call('POST', '/v1/artifacts/prune', payload.pruneAnswer, body);
  }

  /** The life of data. */
  get data(): DataCalls {
    return new DataCalls(
      (method, path, answer, body) => this.#call(method, path, answer, body),
      async (path) => (await this.#stream('GET', path)).body,
    );
  }

  openArtifact(name: string, version?: number): Answer<typeof payload.artifactOpenAnswer> {
    const query = version === undefined ? '' : `?version=${version}`;
    return this.#call('GET', `/v1/artifacts/${encodeURIComponent(name)}${query}`, payload.artifactOpenAnswer);
  }

  async label(body: Body<typeof payload.labelRequest>): Promise<Envelope> {
    return (await this.labelAndSites(body)).label;
  }

  /** The label, and the sites at which mounted data lies in place. */
  labelAndSites(body: Body<typeof payload.labelRequest>): Answer<typeof payload.labelAnswer> {
    return this.#call('POST', '/v1/labels', payload.labelAnswer, body);
  }

  deposit(body: Body<typeof payload.jobDeposit>): Answer<typeof payload.jobAnswer> {
    return this.#call('POST', '/v1/jobs', payload.jobAnswer, body);
  }

  async jobs(): Promise<payload.JobRow[]> {
    return (await this.#call('GET', '/v1/jobs', payload.jobsAnswer)).jobs;
  }

  job(job: JobId): Answer<typeof payload.jobAnswer> {
    return this.#call('GET', `/v1/jobs/${job}`, payload.jobAnswer);
  }

  grant(body: Body<typeof payload.grantRequest>): Answer<typeof payload.grantAnswer> {
    return this.#call('POST', '/v1/grants', payload.grantAnswer, body);
  }

  async stopped(stopped: Envelope): Promise<void> {
    await this.#call('POST', '/v1/stopped', payload.stoppedAnswer, { stopped });
  }

  commit(body: Body<typeof payload.commitRequest>): Answer<typeof payload.commitAnswer> {
    return this.#call('POST', '/v1/commits', payload.commitAnswer, body);
  }

  async secrets(): Promise<payload.SecretRow[]> {
    return (await this.#call('GET', '/v1/secrets', payload.secretsAnswer)).secrets;
  }

  async setSecret(name: string, value: string): Promise<payload.SecretRow[]> {
    const path = `/v1/secrets/${encodeURIComponent(name)}`;
    return (await this.#call('POST', path, payload.secretsAnswer, { value })).secrets;
  }

  async removeSecret(name: string): Promise<payload.SecretRow[]> {
    const path = `/v1/secrets/${encodeURIComponent(name)}/remove`;
    return (await this.#call('POST', path, payload.secretsAnswer)).secrets;
  }

  /** Evidence with its revocations, the oldest first; the caller verifies it against the keyring. */
  async evidence(): Promise<payload.EvidenceRow[]> {
    return (await this.#call('GET', '/v1/evidence', payload.evidenceAnswer)).evidence;
  }

  async addEvidence(document: Envelope): Promise<payload.EvidenceRow[]> {
    return (await this.#call('POST', '/v1/evidence', payload.evidenceAnswer, { document })).evidence;
  }

  async revokeEvidence(digest: Digest, revocation: Envelope): Promise<payload.EvidenceRow[]> {
    const path = `/v1/evidence/${digest}/revoke`;
    return (await this.#call('POST', path, payload.evidenceAnswer, { revocation })).evidence;
  }

  storeCheckpoint(body: Body<typeof payload.checkpointRequest>): Answer<typeof payload.checkpointAnswer> {
    return this.#call('POST', '/v1/checkpoints', payload.checkpointAnswer, body);
  }

  async storeLog(body: Body<typeof payload.sealedLogRequest>): Promise<void> {
    await this.#call('POST', '/v1/logs', payload.sealedLogAnswer, body);
  }

  enter(body: Body<typeof payload.entryRequest>): Answer<typeof payload.entryAnswer> {
    return this.#call('POST', '/v1/entries', payload.entryAnswer, body);
  }

  sealedLogs(job: JobId, attempt?: number): Answer<typeof payload.sealedLogsAnswer> {
    const query = attempt === undefined ? '' : `?attempt=${attempt}`;
    return this.#call('GET', `/v1/jobs/${job}/logs${query}`, payload.sealedLogsAnswer);
  }

  /** Counts a job's attempt as over by an officer's statement. */
  async fence(job: JobId, fence: Envelope): Promise<void> {
    await this.#call('POST', `/v1/jobs/${job}/fence`, payload.stoppedAnswer, { fence });
  }

  /** How a replica of this agent stands; answers who may forward to it. */
  reportReplica(body: Body<typeof payload.replicaReport>): Answer<typeof payload.replicaAnswer> {
    return this.#call('POST', '/v1/replicas', payload.replicaAnswer, body);
  }

  /** What a gateway serves: at once when it is newer than number `after`, else within 25 s. */
  /** Whom an agent has to cut off, once the list is another than number `after`. */
  heldLocks(after: number): Answer<typeof payload.heldLocks> {
    return this.#call('GET', `/v1/locks/held?after=${after}`, payload.heldLocks);
  }

  gatewayView(after: number): Answer<typeof payload.gatewayView> {
    return this.#call('GET', `/v1/gateway?after=${after}`, payload.gatewayView);
  }

  gatewayCertificate(
    body: Body<typeof payload.gatewayCertificateRequest>,
  ): Answer<typeof payload.gatewayCertificateAnswer> {
    return this.#call('POST', '/v1/gateway/certificate', payload.gatewayCertificateAnswer, body);
  }

  /** What a gateway sees; its answer carries nothing. */
  async gatewayLoad(body: Body<typeof payload.gatewayLoad>): Promise<void> {
    await this.#call('POST', '/v1/gateway/load', payload.gatewayLoadAnswer, body);
  }

  /** A new endpoint, or the next revision of the one with this name. */
  registerEndpoint(body: Body<typeof payload.endpointRequest>): Answer<typeof payload.endpointsAnswer> {
    return this.#call('POST', '/v1/endpoints', payload.endpointsAnswer, body);
  }

  /** All endpoints, and the certificates of the issuer that callers pin. */
  endpoints(): Answer<typeof payload.endpointsAnswer> {
    return this.#call('GET', '/v1/endpoints', payload.endpointsAnswer);
  }

  /** Fixes the number of replicas; null gives it back to the autoscaler. */
  scaleEndpoint(name: string, replicas: number | null): Answer<typeof payload.endpointsAnswer> {
    const path = `/v1/endpoints/${encodeURIComponent(name)}/scale`;
    return this.#call('POST', path, payload.endpointsAnswer, { replicas });
  }

  removeEndpoint(name: string): Answer<typeof payload.endpointsAnswer> {
    return this.#call('POST', `/v1/endpoints/${encodeURIComponent(name)}/remove`, payload.endpointsAnswer, {});
  }

  /** A token for callers; its text is in this answer alone. */
  mintToken(endpoint: string, body: Body<typeof payload.tokenRequest>): Answer<typeof payload.tokenAnswer> {
    return this.#call('POST', `/v1/endpoints/${encodeURIComponent(endpoint)}/tokens`, payload.tokenAnswer, body);
  }

  async revokeToken(endpoint: string, token: string): Promise<void> {
    const path = `/v1/endpoints/${encodeURIComponent(endpoint)}/tokens/${encodeURIComponent(token)}/revoke`;
    await this.#call('POST', path, payload.revokedAnswer, {});
  }

  rotateIssuer(): Answer<typeof payload.endpointsAnswer> {
    return this.#call('POST', '/v1/issuer/rotate', payload.endpointsAnswer, {});
  }

  /** Lets an agent be a gateway, or no longer; answers all that may. */
  async allowGateway(agent: AgentId, allow: boolean): Promise<AgentId[]> {
    return (await this.#call('POST', '/v1/gateways', payload.gatewaysAnswer, { agent, allow })).gateways;
  }

  /** A backup archive sealed to a passphrase, as a stream. */
  async backup(body: Body<typeof payload.backupRequest>): Promise<Readable> {
    return (await this.#stream('POST', '/v1/backup', { json: body })).body;
  }

  async #call<Schema extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    schema: Schema,
    body?: object,
  ): Promise<z.output<Schema>> {
    const sent = body === undefined ? {} : { body: 'stream' in body ? (body as RequestBody) : { json: body } };
    const request = { method, path, ...sent, maxBytes: LARGEST_ANSWER };
    let answer = await requestPayload(this.#agent, request);
    if (this.#hasLapsed(answer) && !('stream' in (body ?? {}))) answer = await requestPayload(this.#agent, request);
    // 202: it was not done, and is proposed.
    if (answer.status < 200 || answer.status > 299 || answer.status === 202) throw refusal(answer.status, answer.body);
    const parsed = schema.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    throw new ClientError('bad-response', 'the custodian answered in a form that this release does not know', {
      next: 'compare the versions of both with `ringfence doctor`',
    });
  }

  /** Whether the link's certificate was refused, and with it the request before it was read. */
  #hasLapsed({ status, body }: { readonly status: number; readonly body: unknown }): boolean {
    if (status !== 401 || refusal(status, body).code !== 'certificate-lapsed') return false;
    this.#onLapsed?.();
    return this.#onLapsed !== undefined;
  }

  async #stream(method: 'GET' | 'POST', path: string, body?: RequestBody): Promise<StreamedResponse> {
    const request = { method, path, ...(body === undefined ? {} : { body }) };
    for (let repeatable = body === undefined; ; repeatable = false) {
      const answer = await streamPayload(this.#agent, request);
      if (answer.status >= 200 && answer.status <= 299) return answer;
      const said = await readJson(answer.body);
      if (!this.#hasLapsed({ status: answer.status, body: said }) || !repeatable) throw refusal(answer.status, said);
    }
  }
}

/** (u32 length ‖ object)…, big-endian. */
async function* framed(objects: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const object of objects) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(object.length);
    yield length;
    yield object;
  }
}
