import { newId, systemRng as rng, toBase64Url } from '@ringfence/base';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SealPrivateKey } from '@ringfence/crypto/open';
import { SigningKey } from '@ringfence/crypto/sign';
import type { Workload } from '@ringfence/protocol/payload';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
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
  issuer: SigningKey.generate(rng),
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
  site: newId('site', rng),
  controlPlane: newId('controlPlane', rng),
  offer: newId('offer', rng),
};

/** Where the test job may run. */
export const PLACEMENT: PlacementPart = {
  ...SAMPLE_PLACEMENT,
  resources: { cpuMilli: 100, memoryBytes: 64_000_000, diskBytes: 100_000_000, hardLimits: false },
  isolation: 'process',
  spot: 'never',
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
