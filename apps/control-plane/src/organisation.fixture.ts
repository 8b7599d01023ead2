import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import {
  epochMs,
  newId,
  silentLog,
  systemRng,
  toBase64Url,
  type Clock,
  type JobId,
  type OrgId,
  Secret,
} from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ControlPlaneClient } from '@ringfence/client/api';
import {
  createControlLink,
  LinkJournal,
  type ControlLink,
  type ControlPlaneMessage,
  type DurablePartyMessage,
  type LinkParty,
} from '@ringfence/client/control-link';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import type { SealPublicKey } from '@ringfence/crypto/seal';
import { sha256Hex, SigningKey, statementDigest } from '@ringfence/crypto/sign';
import {
  checkLease,
  codeProof,
  extendKeyring,
  foldKeyring,
  genesisStatement,
  nextStatement,
  parseRegistrationCode,
  placementDigest,
  signHead,
  signStatement,
  type AdmissionContext,
  type Keyring,
} from '@ringfence/keyring';
import type { Sensitivity } from '@ringfence/protocol';
import type { jobSubmission } from '@ringfence/protocol/api';
import type { MessageBody } from '@ringfence/protocol/messages';
import { SAMPLE_PLACEMENT, sampleOffer } from '@ringfence/protocol/samples';
import { DELEGATIONS, type KeyringChange, type PlacementPart } from '@ringfence/protocol/statements';
import type { z } from 'zod';
import { cleanUp, temporaryFolder, until } from './control-plane.fixture.ts';
import type { RunningControlPlane } from './start.ts';

/** A job that one sandbox on an own site can run. */
export const PLACEMENT: PlacementPart = { ...SAMPLE_PLACEMENT, retryOn: ['no-capacity', 'interruption'] };

/** A lease as its agent got it. */
export type Leased = Extract<ControlPlaneMessage, { name: 'lease' }>['body'];
/** The body of `POST /v1/jobs`. */
export type Submission = z.input<typeof jobSubmission>;

/** One party's end of a link, and what came over it. */
export interface TestLink {
  readonly link: ControlLink;
  readonly messages: ControlPlaneMessage[];
  readonly folder: string;
  onMessage: (message: ControlPlaneMessage) => void;
  send(message: DurablePartyMessage): Promise<number>;
  close(): Promise<void>;
}

/** Any running control plane: in this process, or the ready line of another one. */
export type Target = Pick<RunningControlPlane, 'ready'>;

/** Where and how a party dials. */
export interface DialSetup {
  readonly folder?: string;
  readonly beat?: () => MessageBody<'heartbeat'>;
}

/** An organisation with keys of its own, a custodian, a device and an agent, as the real roles would run them. */
export class TestOrganisation {
  readonly org: OrgId = newId('org', systemRng);
  readonly root = newKey();
  readonly custodian = { id: newId('custodian', systemRng), sign: newKey() };
  readonly enrolment = newKey();
  readonly device = { id: newId('device', systemRng), sign: newKey() };
  readonly agent = newAgent();
  readonly clock: Clock;
  keyring: Keyring;

  constructor(clock: Clock = systemClock) {
    this.clock = clock;
    const recovery = { threshold: 1, keys: [SigningKey.generate(systemRng).publicKey] };
    const change = { kind: 'genesis', root: this.root.publicKey, recovery } as const;
    this.keyring = foldKeyring([
      signStatement('keyring', genesisStatement(this.org, change, clock.now()), [this.root]),
    ]);
    const { custodian, device, agent, enrolment } = this;
    this.#add({ kind: 'add-device', device: device.id, sign: device.sign.publicKey, tls: point() });
    this.#add({
      kind: 'add-custodian',
      custodian: custodian.id,
      sign: custodian.sign.publicKey,
      tls: point(),
      seal: seal(),
    });
    const notAfter = epochMs(clock.now() + 86_400_000);
    this.#add({ kind: 'delegate', custodian: custodian.id, key: enrolment.publicKey, may: [...DELEGATIONS], notAfter });
    this.#add({
      kind: 'add-agent',
      agent: agent.id,
      site: agent.site,
      tier: 'private',
      sign: agent.sign.publicKey,
      tls: point(),
      seal: seal(),
      allowProcess: false,
    });
  }

  #add(change: KeyringChange): void {
    const statement = nextStatement(this.keyring, change, this.clock.now());
    this.keyring = extendKeyring(this.keyring, signStatement('keyring', statement, [this.root]));
  }

  /** The body of a registration with the code in `text`, as a custodian makes it. */
  registration(text: string) {
    const code = parseRegistrationCode(text);
    const body = {
      code: code.id,
      org: this.org,
      custodian: this.custodian.id,
      sign: this.custodian.sign.publicKey,
      enrolment: this.enrolment.publicKey,
    };
    return { ...body, proof: codeProof(code.secret, { message: 'registration-request', link: null, body }) };
  }

  /** A client that signs as this organisation's device, or as nobody. */
  client(t: TestContext, target: Target, as: 'device' | 'nobody' = 'device'): ControlPlaneClient {
    const { ready } = target;
    const client = new ControlPlaneClient({
      url: ready.url,
      caFile: ready['ca_file'] ?? '',
      clock: this.clock,
      rng: systemRng,
      identity: as === 'nobody' ? undefined : { device: this.device.id, key: this.device.sign },
    });
    cleanUp(t, () => client.close());
    return client;
  }

  /** A control link of the custodian or of an agent. */
  dial(t: TestContext, target: Target, who: 'custodian' | TestAgent, setup: DialSetup = {}): TestLink {
    const { id, sign: key } = who === 'custodian' ? this.custodian : who;
    const party: LinkParty = { id, org: this.org, role: who === 'custodian' ? 'custodian' : 'agent' };
    return dialLink(t, target, { party, key, ...setup });
  }

  /** An order of the device to run something, with its label. */
  submission(
    change: {
      job?: JobId;
      placement?: Partial<PlacementPart>;
      sensitivity?: Sensitivity;
      maxAttempts?: number;
      expiresIn?: number;
      /** How much longer the label lasts than the job. */
      labelLonger?: number;
    } = {},
  ): Submission {
    const now = this.clock.now();
    const { job = newId('job', systemRng), maxAttempts = 3, expiresIn = 3_600_000 } = change;
    const { sensitivity = 'internal', labelLonger = 0 } = change;
    const placement = { ...PLACEMENT, ...change.placement };
    const expires = epochMs(now + expiresIn);
    const label = signStatement(
      'label',
      {
        v: 1,
        org: this.org,
        job,
        custodian: this.custodian.id,
        sensitivity,
        residency: [],
        at: now,
        notAfter: epochMs(expires + labelLonger),
      },
      [this.enrolment],
    );
    const statement = signStatement(
      'job',
      {
        v: 1,
        org: this.org,
        project: newId('project', systemRng),
        job,
        device: this.device.id,
        type: placement.type,
        at: now,
        expires,
        maxAttempts,
        replicas: 1,
        constraintDigest: placementDigest(placement),
        payloadDigest: sha256Hex(systemRng.bytes(32)),
        labelDigest: statementDigest(label),
      },
      [this.device.sign],
    );
    return { job: statement, label, placement };
  }

  /** Registers, tells of device and agent, and brings the agent's offer: everything up to the first job. */
  async enrol(
    t: TestContext,
    target: Target,
    code = codeOf(target),
  ): Promise<{ client: ControlPlaneClient; custodian: TestLink; agent: TestLink }> {
    await this.client(t, target, 'nobody').register(this.registration(code));
    const custodian = this.dial(t, target, 'custodian');
    await custodian.send(memberOf(this.device));
    await custodian.send(memberOf(this.agent));
    const client = this.client(t, target);
    await until('the device is admitted', () =>
      client.agents().then(
        () => true,
        () => false,
      ),
    );
    const agent = this.dial(t, target, this.agent);
    await agent.send(offerOf(this.agent));
    await until('the offer is there', async () => (await client.agents()).length === 1);
    return { client, custodian, agent };
  }

  /** Judges a lease as its agent does. */
  judge(
    target: Target,
    agent: TestAgent,
    leased: Leased,
    keys: AdmissionContext['controlPlaneKeys'],
  ): ReturnType<typeof checkLease> {
    const now = this.clock.now();
    return checkLease(leased, {
      keyring: this.keyring,
      head: signHead(this.keyring, { custodian: this.custodian.id, epoch: 1, at: now }, this.enrolment),
      controlPlane: { id: target.ready['id'] as never, root: target.ready['root'] as never },
      controlPlaneKeys: keys,
      agent: agent.id,
      highestAttempt: 0,
      now,
    });
  }
}

/** Seeds of all keys that this process has made for parties: nothing of the control plane may ever hold one. */
export const PARTY_SEEDS: Uint8Array[] = [];

function newKey(): SigningKey {
  const seed = systemRng.bytes(32);
  PARTY_SEEDS.push(Uint8Array.from(seed));
  return SigningKey.fromSeed(new Secret(seed));
}

/** An agent's identity and its offer. */
export type TestAgent = ReturnType<typeof newAgent>;

/** A fresh agent. */
export function newAgent() {
  return {
    id: newId('agent', systemRng),
    sign: newKey(),
    site: newId('site', systemRng),
    offer: newId('offer', systemRng),
  };
}

/** The custodian's word for a device or agent. */
export function memberOf(party: {
  id: TestAgent['id'] | TestOrganisation['device']['id'];
  sign: SigningKey;
}): DurablePartyMessage {
  return { name: 'member', body: { op: 'add', id: party.id, sign: party.sign.publicKey, keyringSeq: 1 } };
}

/** An offer of four CPUs on an own site. */
export function offerOf(agent: TestAgent, change: Partial<MessageBody<'offer'>> = {}): DurablePartyMessage {
  return { name: 'offer', body: sampleOffer({ offer: agent.offer, site: agent.site, ...change }) };
}

/** The first registration code that `target` left in its state folder. */
export function codeOf(target: Target): string {
  return readFileSync(target.ready['registration_code_file'] ?? '', 'utf8');
}

function dialLink(
  t: TestContext,
  { ready }: Target,
  setup: DialSetup & { party: LinkParty; key: SigningKey },
): TestLink {
  const { party, key, folder = temporaryFolder(t) } = setup;
  const journal = LinkJournal.open({ folder, party, controlPlane: ready['id'] as never, clock: systemClock });
  const messages: ControlPlaneMessage[] = [];
  const link = createControlLink({
    url: ready.url,
    controlPlane: ready['id'] as never,
    root: ready['root'] as never,
    party,
    key,
    journal,
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
    trust: { caFile: ready['ca_file'] ?? '' },
    firstDelayMs: 50,
    onMessage: async (message) => {
      messages.push(message);
      held.onMessage(message);
      return message.name === 'renew' ? undefined : { name: 'taken', body: {} };
    },
    heartbeat: setup.beat ?? (() => ({ attempts: [] })),
  });
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await link.stop();
    await journal.close();
  };
  const held: TestLink = { link, messages, folder, onMessage: () => {}, send: (message) => link.send(message), close };
  cleanUp(t, close);
  link.start();
  return held;
}

function point(): TlsPublicKey {
  return SigningKey.generate(systemRng).publicKey as unknown as TlsPublicKey;
}

function seal(): SealPublicKey {
  return toBase64Url(systemRng.bytes(1216)) as SealPublicKey;
}
