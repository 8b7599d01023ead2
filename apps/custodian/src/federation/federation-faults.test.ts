import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng as rng, toBase64Url } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { Workload } from '@ringfence/protocol/payload';
import type { Contract, ContractCode } from '@ringfence/protocol/statements';
import { FEDERATION_FAULTS, federationFaults, type FederatedStart, type FederationFault } from './federation-faults.ts';

const [org, other] = [newId('org', rng), newId('org', rng)];
const [agent, twin, host] = [newId('agent', rng), newId('agent', rng), newId('agent', rng)];
const [mine, yours] = [newId('artifact', rng), newId('artifact', rng)];
const digest = (letter: string): Digest => letter.repeat(64) as Digest;
const IMAGE = `acme/train@sha256:${digest('a')}`;

const OWN: ContractCode = {
  kind: 'own',
  parameters: 62,
  digest: digest('c'),
  run: 'python3 train.py',
  setup: 'make',
  image: IMAGE,
};

/** What of a contract a start is judged by. */
function contractOf(code: Contract['code'] | { kind: 'embedded' }): Contract {
  return {
    purpose: 'research',
    clients: [
      { org, agent, dataset: { artifact: mine, version: 2, manifest: digest('d') } },
      { org: other, agent: twin, dataset: { artifact: yours, version: 1, manifest: digest('e') } },
    ],
    aggregator: { org, agent: host },
    code,
    outputs: [{ what: 'model', artifact: 'model', recipients: [org] }],
  } as unknown as Contract;
}

const BARE: Workload = {
  v: 1,
  salt: toBase64Url(rng.bytes(32)),
  name: 'study',
  env: {},
  secrets: [],
  mounts: [{ path: '/data', dataset: 'rows' }],
  outputs: [{ path: '/out', artifact: 'model' }],
  resources: { cpuMilli: 1_000, memoryBytes: 64_000_000, diskBytes: 0, hardLimits: false },
  isolation: 'sandbox',
  maxDurationMs: 60_000,
  stopGraceMs: 1_000,
  logs: 'local',
  purpose: 'research',
};
const DATA = [{ artifact: mine, version: 2, manifest: digest('d') }];

const client: FederatedStart = { org, role: 'client', workload: BARE, code: undefined, data: DATA, agent };
const { run, setup, image } = OWN;
const own: FederatedStart = { ...client, workload: { ...BARE, run, setup, image }, code: OWN.digest };
const aggregator: FederatedStart = {
  ...client,
  role: 'aggregator',
  agent: host,
  workload: { ...BARE, mounts: [], outputs: [] },
  data: [],
};
const work = (start: FederatedStart, edit: Partial<Workload>): FederatedStart => ({
  ...start,
  workload: { ...start.workload, ...edit },
});

test('a start that is what the contract says has no fault, before it is placed and at the agent that is named', () => {
  const embedded = contractOf({ kind: 'embedded' });
  for (const start of [client, aggregator, work(client, { outputs: [] })]) {
    assert.deepEqual(federationFaults(embedded, start), []);
    assert.deepEqual(federationFaults(embedded, { ...start, agent: undefined }), []);
  }
  assert.deepEqual(federationFaults(contractOf(OWN), own), []);
});

test('each edit of a term is refused by its own name', () => {
  const seen = new Set<FederationFault>();
  const cases: readonly (readonly [FederatedStart, FederationFault])[] = [
    [work(own, { purpose: 'care' }), 'purpose'],
    [work(own, { purpose: undefined }), 'purpose'],
    [{ ...own, data: [{ ...DATA[0], artifact: yours } as (typeof DATA)[0]] }, 'dataset'],
    [{ ...work(own, { outputs: [] }), org: other }, 'dataset'],
    [{ ...own, data: [{ ...DATA[0], version: 3 } as (typeof DATA)[0]] }, 'dataset-version'],
    [{ ...own, data: [{ ...DATA[0], manifest: digest('f') } as (typeof DATA)[0]] }, 'dataset-version'],
    [{ ...own, agent: twin }, 'agent'],
    [work(own, { outputs: [...BARE.outputs, { path: '/more', artifact: 'more' }] }), 'outputs'],
    [work(own, { run: 'python3 train.py --leak' }), 'run'],
    [work(own, { run: undefined }), 'run'],
    [work(own, { setup: undefined }), 'setup'],
    [work(own, { image: undefined }), 'image'],
    [work(own, { python: '3.12' }), 'python'],
    [{ ...own, code: digest('f') }, 'code'],
    [{ ...own, code: undefined }, 'code'],
    [work(own, { env: { LD_PRELOAD: '/data/x' } }), 'env'],
    [work(own, { secrets: ['TOKEN'] }), 'secrets'],
    [work(own, { secretFiles: {} }), 'secrets'],
    [work(own, { egress: ['a.example:443'] }), 'egress'],
    [work(own, { checkpoint: '/out/c' }), 'checkpoint'],
    [work(own, { service: { port: 8_000 } as Workload['service'] }), 'service'],
  ];
  for (const [start, fault] of cases) {
    assert.deepEqual(federationFaults(contractOf(OWN), start), [fault], fault);
    seen.add(fault);
  }
  const stranger = { ...contractOf(OWN), outputs: [{ what: 'model', artifact: 'm', recipients: [other] }] } as Contract;
  assert.deepEqual(federationFaults(stranger, own), ['recipient']);
  assert.deepEqual(federationFaults(stranger, work(own, { outputs: [] })), [], 'it trains, and keeps nothing');
  const both = work({ ...own, data: [...DATA, ...DATA] }, { mounts: [...BARE.mounts, ...BARE.mounts] });
  assert.deepEqual(federationFaults(contractOf(OWN), both), ['mounts']);
  for (const fault of ['recipient', 'mounts'] as const) seen.add(fault);
  assert.deepEqual(
    FEDERATION_FAULTS.filter((fault) => !seen.has(fault)),
    [],
  );
});

test('with the embedded trainer a client brings no code, and an aggregator nothing at all', () => {
  const embedded = contractOf({ kind: 'embedded' });
  assert.deepEqual(federationFaults(embedded, own), ['run', 'setup', 'image', 'code']);
  assert.deepEqual(federationFaults(embedded, { ...client, code: digest('c') }), ['code']);
  for (const [edit, fault] of [
    [{ mounts: BARE.mounts }, 'mounts'],
    [{ outputs: BARE.outputs }, 'outputs'],
    [{ run: 'sh' }, 'run'],
  ] as const)
    assert.deepEqual(federationFaults(embedded, work(aggregator, edit)), [fault]);
  assert.deepEqual(federationFaults(embedded, { ...aggregator, agent }), ['agent']);
  assert.deepEqual(federationFaults(embedded, { ...aggregator, org: other }), ['agent']);
});
