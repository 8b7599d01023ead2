import { newId, systemRng as rng, toBase64Url } from '@ringfence/base';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SealPrivateKey } from '@ringfence/crypto/open';
import { SigningKey } from '@ringfence/crypto/sign';
import type { Workload } from '@ringfence/protocol/payload';
import type { PlacementPart } from '@ringfence/protocol/statements';

/** Everybody's keys. */
export const KEYS = {
  root: SigningKey.generate(rng),
  recovery: SigningKey.generate(rng),
  enrolment: SigningKey.generate(rng),
  device: SigningKey.generate(rng),
  deviceTls: TlsKey.generate(rng),
  stranger: SigningKey.generate(rng),
  controlRoot: SigningKey.generate(rng),
  leases: SigningKey.generate(rng),
  custodianTls: TlsKey.generate(rng),
  custodianSeal: SealPrivateKey.generate(rng),
};
/** Everybody's ids. */
export const IDS = {
  org: newId('org', rng),
  project: newId('project', rng),
  custodian: newId('custodian', rng),
  device: newId('device', rng),
  agent: newId('agent', rng),
  controlPlane: newId('controlPlane', rng),
  offer: newId('offer', rng),
};

/** Where the test job may run. */
export const PLACEMENT: PlacementPart = {
  v: 1,
  type: 'train',
  resources: { cpuMilli: 100, memoryBytes: 64_000_000, diskBytes: 0, hardLimits: false },
  tiers: ['private'],
  residency: [],
  isolation: 'process',
  tees: [],
  egress: 'none',
  burst: 'never',
  onPartition: 'stop',
  spot: 'never',
  priority: 50,
  maxDurationMs: 60_000,
};

/** The test job. */
export const WORKLOAD: Workload = {
  v: 1,
  salt: toBase64Url(rng.bytes(32)),
  name: 'test',
  run: 'echo it ran',
  env: {},
  secrets: [],
  mounts: [],
  outputs: [],
  resources: PLACEMENT.resources,
  isolation: PLACEMENT.isolation,
  maxDurationMs: PLACEMENT.maxDurationMs,
  stopGraceMs: 0,
  logs: 'local',
};
