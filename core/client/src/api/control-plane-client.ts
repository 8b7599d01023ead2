import {
  canonicalBytes,
  jsonOf,
  randomBelow,
  sleep,
  toBase64Url,
  type AgentId,
  type Clock,
  type DeviceId,
  type JobId,
  type MemberId,
  type OfferId,
  type Rng,
  type SessionId,
} from '@ringfence/base';
import type { Envelope, SigningKey } from '@ringfence/crypto/sign';
import {
  agentList,
  auditHead,
  auditTile,
  controlPlaneAnswer,
  errorAnswer,
  jobEvents,
  jobList,
  jobView,
  memberInvited,
  memberList,
  noticeList,
  offerList,
  organisationAnswer,
  planAnswer,
  poolDecisions,
  poolView,
  doneAnswer,
  sessionList,
  sessionsEnded,
  signRequest,
  type AuditHead,
  type JobView,
  type OfferView,
  type PlanAnswer,
  type PoolDecisions,
  type PoolView,
  type MemberInvited,
  type MemberList,
  type Notice,
  type SessionList,
  type memberInvitation,
  whyNotAnswer,
  type agentDrain,
  type jobSubmission,
  type organisationRegistration,
  type planRequest,
  type WhyNotAnswer,
  accountView,
  browserStepUpBegun,
  serviceAccountAdded,
  serviceAccountList,
  ssoProviderList,
  stepUpAnswer,
  tokenExchanged,
  type AccountView,
  type serviceAccountAdd,
  type ServiceAccountList,
  type ssoProviderAdd,
  type SsoProviderList,
  type StepUpAnswer,
  type stepUpGiven,
  type tokenExchange,
} from '@ringfence/protocol/api';
import type { z } from 'zod';
import { ClientError } from '../error.ts';
import { ApiRefusal } from './api-refusal.ts';
import { LockCalls } from './lock-calls.ts';
import { HttpsExchange, type HttpsAnswer, type ServerAccess } from './https-exchange.ts';

/** How often, and after pauses of at most so many seconds, a submission that a busy control plane sent away is handed in. */
const MOST_TRIES = 4;
const LONGEST_PAUSE_S = 30;

/** Whose signature a client's requests carry. */
export interface ApiIdentity {
  readonly device: DeviceId;
  readonly key: SigningKey;
}

/** A typed client of one control plane; every method throws ClientError or, when the server says no, {@link ApiRefusal}. */
export class ControlPlaneClient {
  readonly #https: HttpsExchange;
  readonly #identity: ApiIdentity | undefined;
  readonly #clock: Clock;
  readonly #rng: Rng;

  constructor(access: ServerAccess & { readonly rng: Rng; readonly identity?: ApiIdentity | undefined }) {
    this.#https = new HttpsExchange(access);
    this.#identity = access.identity;
    this.#clock = access.clock;
    this.#rng = access.rng;
  }

  /** Who the control plane says it is; needs no identity. */
  about(): Promise<z.infer<typeof controlPlaneAnswer>> {
    return this.#call('GET', '/v1/control-plane', controlPlaneAnswer);
  }

  /** Spends a registration code; needs no identity, the code is the proof. */
  register(body: z.infer<typeof organisationRegistration>): Promise<z.infer<typeof organisationAnswer>> {
    return this.#call('POST', '/v1/organisations', organisationAnswer, body);
  }

  /** Hands in a job; the same statement again gives the same answer. */
  async submit(body: z.infer<typeof jobSubmission>): Promise<JobView> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#call('POST', '/v1/jobs', jobView, body);
      } catch (error) {
        const after = error instanceof ApiRefusal && error.status === 503 ? error.retryAfterS : undefined;
        if (after === undefined || after > LONGEST_PAUSE_S || tries === MOST_TRIES) throw error;
        // A while of one's own: all who were sent away would else come back as one.
        await sleep(this.#clock, after * 1_000 + randomBelow(this.#rng, 1_000));
      }
    }
  }

  /** What placement would decide now. */
  plan(body: z.infer<typeof planRequest>): Promise<PlanAnswer> {
    return this.#call('POST', '/v1/plan', planAnswer, body);
  }

  /** What placement would decide now about a job that was handed in. */
  why(job: JobId): Promise<PlanAnswer> {
    return this.#call('GET', `/v1/jobs/${job}/why`, planAnswer);
  }

  /** All that one offer fails for a job, or its score. */
  whyNot(job: JobId, offer: OfferId): Promise<WhyNotAnswer> {
    return this.#call('GET', `/v1/jobs/${job}/why/${offer}`, whyNotAnswer);
  }

  /** What the organisation's jobs could be placed on. */
  async offers(): Promise<OfferView[]> {
    return (await this.#call('GET', '/v1/offers', offerList)).offers;
  }

  /** The organisation's jobs, newest first. */
  async jobs(): Promise<z.infer<typeof jobList>['jobs']> {
    return (await this.#call('GET', '/v1/jobs', jobList)).jobs;
  }

  /** One job with its attempts. */
  job(job: JobId): Promise<JobView> {
    return this.#call('GET', `/v1/jobs/${job}`, jobView);
  }

  /** The history of one job. */
  async events(job: JobId): Promise<z.infer<typeof jobEvents>['events']> {
    return (await this.#call('GET', `/v1/jobs/${job}/events`, jobEvents)).events;
  }

  /** Asks for the end of a job. */
  stop(job: JobId, graceMs: number): Promise<JobView> {
    return this.#call('POST', `/v1/jobs/${job}/stop`, jobView, { graceMs });
  }

  /** Gives up a job's newest attempt by an officer's statement. */
  fence(job: JobId, fence: Envelope): Promise<JobView> {
    return this.#call('POST', `/v1/jobs/${job}/fence`, jobView, { fence });
  }

  /** The organisation's audit log: its key and its newest checkpoint. */
  audit(): Promise<AuditHead> {
    return this.#call('GET', '/v1/audit', auditHead);
  }

  /** The bytes of a tile of the log, or of a bundle of its entries. */
  async auditTile(level: number | 'entries', index: number, width: number): Promise<Uint8Array> {
    const { data } = await this.#call('GET', `/v1/audit/tiles/${level}/${index}/${width}`, auditTile);
    return Buffer.from(data, 'base64');
  }

  /** The organisation's agents and what they offer. */
  async agents(): Promise<z.infer<typeof agentList>['agents']> {
    return (await this.#call('GET', '/v1/agents', agentList)).agents;
  }

  /** Gives an agent no new leases, or some again. */
  async drainAgent(agent: AgentId, body: z.infer<typeof agentDrain>): Promise<z.infer<typeof agentList>['agents']> {
    return (await this.#call('POST', `/v1/agents/${agent}/drain`, agentList, body)).agents;
  }

  /** Sets when jobs may leave home, by a signed `pool` statement; the same again changes nothing. */
  setPool(pool: Envelope): Promise<PoolView> {
    return this.#call('PUT', '/v1/pool', poolView, { pool });
  }

  /** Terms, gate, budget, what is away from home, and what it cost; refused as `not-found` where there is no pool. */
  pool(): Promise<PoolView> {
    return this.#call('GET', '/v1/pool', poolView);
  }

  /** The signed decisions about leaving home and coming back, and the signed deletions. */
  poolDecisions(): Promise<PoolDecisions> {
    return this.#call('GET', '/v1/pool/decisions', poolDecisions);
  }

  /** Everybody who signs in at the control plane or may, by random ids. */
  async members(): Promise<MemberList['members']> {
    return (await this.#call('GET', '/v1/members', memberList)).members;
  }

  /** Invites a member; the secret is told this once. */
  inviteMember(body: z.input<typeof memberInvitation>): Promise<MemberInvited> {
    return this.#call('POST', '/v1/members', memberInvited, body);
  }

  /** Takes a member out. */
  async removeMember(member: MemberId): Promise<void> {
    await this.#call('POST', `/v1/members/${member}/remove`, doneAnswer, {});
  }

  /** The organisation's open sessions. */
  async sessions(): Promise<SessionList['sessions']> {
    return (await this.#call('GET', '/v1/sessions', sessionList)).sessions;
  }

  /** Ends a session; how many ended. */
  async endSession(session: SessionId): Promise<number> {
    return (await this.#call('POST', `/v1/sessions/${session}/end`, sessionsEnded, {})).ended;
  }

  /** By which identity providers members sign in. */
  providers(): Promise<SsoProviderList> {
    return this.#call('GET', '/v1/sso/providers', ssoProviderList);
  }

  /** Adds an identity provider, which the control plane asks at once. */
  addProvider(body: z.input<typeof ssoProviderAdd>): Promise<SsoProviderList> {
    return this.#call('POST', '/v1/sso/providers', ssoProviderList, body);
  }

  /** Takes an identity provider away. */
  async removeProvider(provider: string): Promise<void> {
    await this.#call('POST', `/v1/sso/providers/${provider}/remove`, doneAnswer, {});
  }

  /** Workloads that ask without a person. */
  async serviceAccounts(): Promise<ServiceAccountList['accounts']> {
    return (await this.#call('GET', '/v1/service-accounts', serviceAccountList)).accounts;
  }

  /** Adds a service account. */
  addServiceAccount(body: z.input<typeof serviceAccountAdd>): Promise<z.infer<typeof serviceAccountAdded>> {
    return this.#call('POST', '/v1/service-accounts', serviceAccountAdded, body);
  }

  /** Takes a service account away, with its keys. */
  async removeServiceAccount(account: string): Promise<void> {
    await this.#call('POST', `/v1/service-accounts/${account}/remove`, doneAnswer, {});
  }

  /** Shows a federated token, once, for a key of the workload's own; needs no identity. */
  exchangeToken(body: z.input<typeof tokenExchange>): Promise<z.infer<typeof tokenExchanged>> {
    return this.#call('POST', '/v1/service-accounts/token', tokenExchanged, body);
  }

  /** How the control plane knows who asks. */
  account(): Promise<AccountView> {
    return this.#call('GET', '/v1/account', accountView);
  }

  /** What this device's member is told, newest first. */
  async notices(): Promise<Notice[]> {
    return (await this.#call('GET', '/v1/notices', noticeList)).notices;
  }

  /** Gives a factor to this device. */
  stepUp(body: z.input<typeof stepUpGiven>): Promise<StepUpAnswer> {
    return this.#call('POST', '/v1/step-up', stepUpAnswer, body);
  }

  /** The address of a page in which the member of this device steps up for it. */
  stepUpInBrowser(forDigest?: string): Promise<z.infer<typeof browserStepUpBegun>> {
    const body = forDigest === undefined ? {} : { forDigest };
    return this.#call('POST', '/v1/step-up/browser/begin', browserStepUpBegun, body);
  }

  /** Lets go of kept connections. */
  close(): Promise<void> {
    return this.#https.close();
  }

  /** Who is cut off at the control plane. */
  get locks(): LockCalls {
    return new LockCalls((method, path, answer, body) => this.#call(method, path, answer, body));
  }

  async #call<Schema extends z.ZodType>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    schema: Schema,
    body?: unknown,
  ): Promise<z.infer<Schema>> {
    const bytes = body === undefined ? new Uint8Array() : canonicalBytes(body);
    const headers = {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...this.#sign(method, path, bytes),
    };
    const answer = await this.#https.send({ method, target: path, headers, body: bytes });
    const value = jsonOf(answer.body);
    if (answer.status < 200 || answer.status > 299) throw refusal(answer, value);
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new ClientError('bad-response', 'the control plane answered in a form that this release does not know', {
      next: 'compare the versions of both with `ringfence doctor`',
    });
  }

  #sign(method: string, path: string, body: Uint8Array): Record<string, string> {
    if (this.#identity === undefined) return {};
    const { device, key } = this.#identity;
    const parameters = {
      created: Math.floor(this.#clock.now() / 1000),
      nonce: toBase64Url(this.#rng.bytes(16)),
      signer: device,
    };
    return { ...signRequest({ method, path, query: '?', body }, key, parameters) };
  }
}

function refusal({ status, retryAfterS }: HttpsAnswer, value: unknown): ApiRefusal {
  const parsed = errorAnswer.safeParse(value);
  if (!parsed.success)
    return new ApiRefusal(status, 'unexpected', `the server answered with status ${status}`, { retryAfterS });
  const { code, message, next } = parsed.data.error;
  return new ApiRefusal(status, code, message, { retryAfterS, ...(next === undefined ? {} : { next }) });
}
