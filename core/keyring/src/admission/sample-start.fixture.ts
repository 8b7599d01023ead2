import assert from 'node:assert/strict';
import { epochMs, newId, toBase64Url } from '@ringfence/base';
import { statementDigest, type Envelope, type SigningKey } from '@ringfence/crypto/sign';
import type { Workload } from '@ringfence/protocol/payload';
import type { PlacementPart, StatementBody } from '@ringfence/protocol/statements';
import { signHead } from '../head.ts';
import { HOUR_MS, SampleOrganisation } from '../sample-organisation.fixture.ts';
import { signStatement } from '../statement.ts';
import { workloadDigest } from './grant.ts';
import { placementDigest, type AdmissionContext, type LeasedStart } from './lease.ts';

/** Statements of a start, in the order in which each names the ones before. */
export const START_STATEMENTS = ['label', 'job', 'receipt', 'lease', 'grant', 'stopped', 'commit'] as const;
export type StartName = (typeof START_STATEMENTS)[number];
/** Changes a body before it is signed; what comes after names what it became. */
export type Edit = { readonly [Name in StartName]?: (body: StatementBody<Name>) => unknown };

/** An organisation with one of everybody, and a control plane, as they are when a job is leased. */
export class SampleHouse {
  readonly sample: SampleOrganisation;
  readonly device: { id: ReturnType<typeof newId<'device'>>; sign: SigningKey };
  readonly custodian: ReturnType<SampleOrganisation['addCustodian']>;
  readonly agent: ReturnType<SampleOrganisation['addAgent']>;
  readonly controlPlane: {
    id: ReturnType<typeof newId<'controlPlane'>>;
    root: SigningKey;
    frames: SigningKey;
    leases: SigningKey;
  };

  constructor(seed: string, jurisdictions: readonly string[] = ['DE']) {
    this.sample = new SampleOrganisation(seed);
    const { sample } = this;
    this.device = sample.addDevice();
    this.custodian = sample.addCustodian();
    this.agent = sample.addAgent(this.custodian.enrolment, false, jurisdictions);
    this.controlPlane = {
      id: newId('controlPlane', sample.rng),
      root: sample.key(),
      frames: sample.key(),
      leases: sample.key(),
    };
  }

  controlPlaneKeys(change: Partial<StatementBody<'control-plane-keys'>> = {}, key = this.controlPlane.root): Envelope {
    const { id, root, frames, leases } = this.controlPlane;
    const { now } = this.sample;
    const body: StatementBody<'control-plane-keys'> = {
      v: 1,
      controlPlane: id,
      root: root.publicKey,
      frames: frames.publicKey,
      leases: leases.publicKey,
      at: now,
      notAfter: epochMs(now + 24 * HOUR_MS),
    };
    return signStatement('control-plane-keys', { ...body, ...change }, [key]);
  }

  context(change: Partial<AdmissionContext> = {}): AdmissionContext {
    const { sample, custodian, controlPlane, agent } = this;
    const head = signHead(sample.keyring, { custodian: custodian.id, epoch: 3, at: sample.now }, custodian.enrolment);
    return {
      keyring: sample.keyring,
      head,
      controlPlane: { id: controlPlane.id, root: controlPlane.root.publicKey },
      controlPlaneKeys: this.controlPlaneKeys(),
      agent: agent.id,
      highestAttempt: 1,
      now: sample.now,
      ...change,
    };
  }

  signerOf(name: StartName): SigningKey {
    if (name === 'job') return this.device.sign;
    if (name === 'receipt' || name === 'lease') return this.controlPlane.leases;
    return name === 'stopped' ? this.agent.sign : this.custodian.enrolment;
  }
}

export const PLACEMENT: PlacementPart = {
  v: 1,
  type: 'train',
  resources: { cpuMilli: 2000, memoryBytes: 1e9, diskBytes: 1e9, hardLimits: true },
  tiers: ['private', 'secure-cloud'],
  residency: ['DE'],
  isolation: 'sandbox',
  tees: [],
  evidence: { require: [], grade: 'documented', maxAgeDays: 90 },
  egress: 'none',
  burst: 'allowed',
  onPartition: 'stop',
  spot: 'never',
  maxPrice: { microUnits: 0, currency: 'EUR' },
  priority: 50,
  maxDurationMs: 3_600_000,
};

/** All that is said about one attempt of one job. */
export class SampleStart {
  readonly house: SampleHouse;
  readonly placement: PlacementPart;
  readonly workload: Workload;
  readonly job: ReturnType<typeof newId<'job'>>;
  readonly attempt: number;
  readonly project: ReturnType<typeof newId<'project'>>;
  readonly offer: ReturnType<typeof newId<'offer'>>;

  constructor(house: SampleHouse, { attempt = 2, placement = PLACEMENT, job = newId('job', house.sample.rng) } = {}) {
    const { rng } = house.sample;
    this.house = house;
    this.attempt = attempt;
    this.placement = placement;
    this.job = job;
    this.project = newId('project', rng);
    this.offer = newId('offer', rng);
    this.workload = {
      v: 1,
      salt: toBase64Url(rng.bytes(32)),
      name: 'readmission',
      run: 'python train.py',
      env: {},
      secrets: [],
      mounts: [],
      outputs: [],
      resources: placement.resources,
      isolation: placement.isolation,
      maxDurationMs: placement.maxDurationMs,
      stopGraceMs: 0,
      logs: 'local',
    };
  }

  /** Every statement, signed by whom it is to be signed by; an edited one is named by the others as it was edited. */
  sign(edit: Edit = {}): Record<StartName, Envelope> {
    const signed: Partial<Record<StartName, Envelope>> = {};
    const digest = (name: StartName) => statementDigest(signed[name] ?? assert.fail());
    for (const name of START_STATEMENTS) {
      const body = this.body(name, digest);
      const change = edit[name] as ((body: unknown) => StatementBody<StartName>) | undefined;
      signed[name] = signStatement(name, change === undefined ? body : change(body), [this.house.signerOf(name)]);
    }
    return signed as Record<StartName, Envelope>;
  }

  start(edit: Edit = {}, placement = this.placement): LeasedStart & Record<'grant' | 'stopped' | 'commit', Envelope> {
    return { ...this.sign(edit), placement };
  }

  body(name: StartName, digest: (name: StartName) => ReturnType<typeof statementDigest>): StatementBody<StartName> {
    const { sample, agent, custodian, controlPlane } = this.house;
    const { now } = sample;
    const common = { v: 1 as const, org: sample.org, job: this.job, at: now };
    const run = { attempt: this.attempt, agent: agent.id };
    const soon = epochMs(now + HOUR_MS);
    switch (name) {
      case 'label':
        return { ...common, custodian: custodian.id, sensitivity: 'internal', residency: ['DE'], notAfter: soon };
      case 'job':
        return { ...common, expires: soon, ...this.#order(digest) };
      case 'receipt':
        return { ...common, controlPlane: controlPlane.id, jobDigest: digest('job'), ...this.#reasons(digest) };
      case 'lease':
        return {
          ...common,
          ...run,
          controlPlane: controlPlane.id,
          jobDigest: digest('job'),
          receiptDigest: digest('receipt'),
          term: 4,
          ttlMs: 30_000,
          notAfter: soon,
        };
      case 'grant':
        return {
          ...common,
          ...run,
          custodian: custodian.id,
          jobDigest: digest('job'),
          leaseDigest: digest('lease'),
          receiptDigest: digest('receipt'),
          labelDigest: digest('label'),
          payloadDigest: workloadDigest(this.workload),
          isolation: 'sandbox',
          epoch: 3,
          notAfter: soon,
        };
      case 'stopped':
        return { ...common, ...run, outcome: 'failed' };
      case 'commit':
        return { ...common, ...run, custodian: custodian.id, epoch: 3, sensitivity: 'internal', outputs: [] };
    }
  }

  #order(digest: (name: StartName) => ReturnType<typeof statementDigest>) {
    return {
      project: this.project,
      device: this.house.device.id,
      type: 'train' as const,
      maxAttempts: 5,
      replicas: 1,
      constraintDigest: placementDigest(this.placement),
      payloadDigest: workloadDigest(this.workload),
      labelDigest: digest('label'),
    };
  }

  #reasons(digest: (name: StartName) => ReturnType<typeof statementDigest>) {
    return {
      attempt: this.attempt,
      constraintDigest: placementDigest(this.placement),
      labelDigest: digest('label'),
      inventoryEpoch: 7,
      considered: 10,
      refused: [
        { constraint: 'cpu' as const, count: 4 },
        { constraint: 'residency' as const, count: 2 },
      ],
      chosen: {
        offer: this.offer,
        agent: this.house.agent.id,
        tier: 'private' as const,
        isolation: 'sandbox' as const,
      },
    };
  }
}

/** A copy of `value` with another value at `path`. */
export function withField(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value)) return value.map((item, at) => (String(at) === key ? withField(item, rest, to) : item));
  const fields: Record<string, unknown> = typeof value === 'object' && value !== null ? { ...value } : {};
  return { ...fields, [key]: withField(fields[key], rest, to) };
}
