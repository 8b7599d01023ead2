import { newId, toBase64Url, toHex, type JobId, type Rng } from '@ringfence/base';
import { SigningKey, signEnvelope } from '@ringfence/crypto/sign';
import { MESSAGES, type Message, type MessageName } from '../messages/index.ts';
import { SAMPLE_PLACEMENT } from '../samples.fixture.ts';
import type { Direction, PartyRole } from './direction.ts';

/** One message of every kind, with fresh ids. */
export function sampleMessages(rng: Rng): Message[] {
  const run = { job: newId('job', rng), attempt: 3 };
  const digest = toHex(rng.bytes(32));
  const bodies = {
    ...sessionBodies(rng, digest),
    heartbeat: { attempts: [{ ...run, memory: 31, cpu: 12 }] },
    offer: offerBody(rng, digest),
    'attempt-status': { ...run, state: 'stopped', outcome: 'succeeded' },
    member: { op: 'add', id: newId('device', rng), sign: SigningKey.generate(rng).publicKey, keyringSeq: 4 },
    committed: run,
    lock: { agent: newId('agent', rng), reason: 'fork' },
    evidence: {
      op: 'add',
      evidence: digest,
      standard: 'iso27001',
      grade: 'third-party',
      provider: newId('provider', rng),
      sites: [newId('site', rng)],
      from: 1_800_000_000_000,
      until: 1_900_000_000_000,
    },
    admission: {
      agent: newId('agent', rng),
      provider: newId('provider', rng),
      jurisdictions: ['DE', 'US'],
      until: 1_900_000_000_000,
    },
    'device-roles': {
      device: newId('device', rng),
      keyringSeq: 7,
      roles: [{ role: 'ml-engineer', project: newId('project', rng) }, { role: 'auditor' }],
    },
    'lock-word': { target: newId('site', rng), locked: true, until: 1_900_000_000_000 },
    wanted: { job: run.job, wanted: true, graceMs: 30_000 },
    lease: leaseBody(rng),
    'log-checkpoint': {
      key: toBase64Url(rng.bytes(32)),
      size: 900,
      root: toBase64Url(rng.bytes(32)),
      signature: Buffer.from(rng.bytes(64)).toString('base64'),
      oldSize: 600,
      proof: [toBase64Url(rng.bytes(32))],
    },
    renew: { echo: 5, leases: [{ ...run, ttlMs: 60_000 }] },
    stop: { ...run, graceMs: 10_000, reason: 'requested' },
    'job-closed': { job: run.job, state: 'failed' },
    ...deletionBodies(rng, run),
  } satisfies Record<MessageName, unknown>;
  return (Object.keys(MESSAGES) as MessageName[]).map(
    (name) => ({ name, body: MESSAGES[name].schema.parse(bodies[name]) }) as Message,
  );
}

function sessionBodies(rng: Rng, digest: string) {
  return {
    hello: {
      role: 'agent',
      party: newId('agent', rng),
      org: newId('org', rng),
      versions: { min: 1, max: 1 },
      journal: { seq: 12, hash: digest },
      resume: null,
      received: 7,
    },
    ack: { mid: 9, journal: { seq: 14, hash: digest } },
    welcome: { version: 1, received: 0, heartbeatMs: 5_000, at: 1_800_000_000_000 },
    'control-ack': { mid: 4 },
    goodbye: { reason: 'shutdown' },
  };
}

function deletionBodies(rng: Rng, run: { readonly job: JobId; readonly attempt: number }) {
  const request = newId('deletion', rng);
  const named = { request, attempts: [run] };
  const statement = signEnvelope('application/vnd.ringfence.deletion.v1+json', { v: 1 }, [SigningKey.generate(rng)]);
  return {
    'delete-data': named,
    deleted: { request, statement },
    'shred-keys': { ...named, agent: newId('agent', rng), deletion: statement },
    'keys-shredded': named,
  };
}

function offerBody(rng: Rng, digest: string) {
  return {
    offer: newId('offer', rng),
    site: newId('site', rng),
    epoch: 2,
    tier: 'private',
    jurisdictions: ['DE', 'EEA'],
    isolations: ['process', 'sandbox'],
    tees: [],
    hardLimits: true,
    cpuMilli: 8_000,
    memoryBytes: 16_000_000_000,
    diskBytes: 100_000_000_000,
    gpus: [{ model: 'H100', memoryBytes: 80_000_000_000, count: 2 }],
    evidence: [{ standard: 'iso27001', digest, notAfter: 1_900_000_000_000 }],
  };
}

function leaseBody(rng: Rng) {
  const statement = signEnvelope('application/vnd.ringfence.job.v1+json', { v: 1 }, [SigningKey.generate(rng)]);
  return {
    job: statement,
    label: statement,
    placement: SAMPLE_PLACEMENT,
    receipt: statement,
    lease: statement,
    echo: 3,
  };
}

/** Who sends a message, and to or from which kind of party. */
export function crossing(name: MessageName): { direction: Direction; role: PartyRole } {
  const { sender, reader } = MESSAGES[name];
  const role = sender === 'custodian' || reader === 'custodian' ? 'custodian' : 'agent';
  return { direction: sender === 'control-plane' ? 'control-plane' : 'party', role };
}
