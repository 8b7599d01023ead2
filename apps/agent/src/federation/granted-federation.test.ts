import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { writeContractFile } from '@ringfence/keyring';
import { SampleContract } from '@ringfence/keyring/samples';
import type { ContractFile } from '@ringfence/protocol/federation';
import type { GrantPayload } from '@ringfence/protocol/payload';
import { AttemptEnd } from '../attempt/step-error.ts';
import { grantedFederation } from './granted-federation.ts';

const rng = seededRng('granted-federation');
const sample = new SampleContract('granted');
const file = sample.file();
const { terms } = sample;
const now = sample.host.organisation.now;

type Context = Parameters<typeof grantedFederation>[0];
type Payload = Parameters<typeof grantedFederation>[1];

/** The agent of client 0, with the keyring that it holds, and the keys that the contract names. */
function contextOf(role: 'client' | 'aggregator' = 'client', change: { agent?: string; keys?: boolean } = {}): Context {
  const { organisation } = role === 'client' ? (sample.clients[0] ?? assert.fail()) : sample.host;
  const named = role === 'client' ? (terms.clients[0] ?? assert.fail()) : terms.aggregator;
  return {
    keyring: { keyring: organisation.keyring },
    clock: { now: () => now },
    link: { agent: change.agent ?? named.agent, org: named.org },
    identity: {
      sign: { publicKey: change.keys === false ? 'x' : named.sign },
      link: { key: { publicKey: named.tls } },
    },
  } as unknown as Context;
}

function payloadOf(change: { workload?: object; file?: ContractFile; mounts?: object[]; role?: string } = {}): Payload {
  const { role = 'client' } = change;
  const dataset = terms.clients[0]?.dataset ?? assert.fail();
  const mount = { path: '/data', artifact: dataset.artifact, version: dataset.version };
  return {
    workload: { federation: { contract: sample.digest(file), role }, mounts: [], outputs: [], ...change.workload },
    mounts: change.mounts ?? (role === 'client' ? [mount] : []),
    contract: Buffer.from(writeContractFile(change.file ?? file)).toString('base64'),
  } as unknown as Payload;
}

function reasonsOf(context: Context, payload: Payload): readonly string[] {
  try {
    grantedFederation(context, payload);
  } catch (error) {
    assert.ok(error instanceof AttemptEnd, String(error));
    assert.equal(error.refusal, 'payload-mismatch');
    return error.reasons;
  }
  return [];
}

test('a client and the aggregator are started by a contract that their own keyring holds', () => {
  const client = grantedFederation(contextOf(), payloadOf());
  assert.deepEqual([client?.role, client?.member, client?.terms.digest], ['client', 0, sample.digest(file)]);
  const aggregator = grantedFederation(contextOf('aggregator'), payloadOf({ role: 'aggregator' }));
  assert.deepEqual([aggregator?.role, aggregator?.member], ['aggregator', undefined]);
  const { federation: _, ...workload } = payloadOf().workload as GrantPayload['workload'];
  const { contract: _file, ...plain } = payloadOf();
  assert.equal(grantedFederation(contextOf(), { ...plain, workload }), undefined);
});

test('what is not as the contract says is refused by name', () => {
  const { contract: _, ...without } = payloadOf();
  const { federation: _federation, ...workload } = payloadOf().workload as GrantPayload['workload'];
  const [mount] = payloadOf().mounts;
  const cases: readonly (readonly [string, Context, Payload])[] = [
    ['contract-missing', contextOf(), without],
    ['contract-of-another-type', contextOf(), { ...payloadOf(), workload }],
    ['contract-malformed', contextOf(), { ...payloadOf(), contract: Buffer.from('{}').toString('base64') }],
    ['signature-missing', contextOf(), payloadOf({ file: sample.file(sample.clients) })],
    ['other-contract', contextOf(), payloadOf({ file: sample.file(sample.parties, { name: 'another' }) })],
    ['agent-not-named', contextOf('client', { agent: newId('agent', rng) }), payloadOf()],
    ['agent-not-named', contextOf('client', { keys: false }), payloadOf()],
    ['agent-not-named', contextOf('client'), payloadOf({ role: 'aggregator' })],
    ['mounts', contextOf(), payloadOf({ mounts: [] })],
    ['dataset', contextOf(), payloadOf({ mounts: [{ ...mount, version: 2 }] })],
    ['run', contextOf(), payloadOf({ workload: { run: 'python3 mine.py' } })],
    ['setup', contextOf(), payloadOf({ workload: { setup: 'pip install more' } })],
    ['image', contextOf(), payloadOf({ workload: { image: 'mine' } })],
    ['python', contextOf(), payloadOf({ workload: { python: '3.12' } })],
    ['code', contextOf(), payloadOf({ workload: { code: {} } })],
    ['run', contextOf('aggregator'), payloadOf({ role: 'aggregator', workload: { run: 'x' } })],
    ['mounts', contextOf('aggregator'), payloadOf({ role: 'aggregator', mounts: [mount ?? {}] })],
  ];
  for (const [reason, context, payload] of cases)
    assert.ok(reasonsOf(context, payload).includes(reason), `${reason}: ${reasonsOf(context, payload).join()}`);
});

test('a contract of other organisations, or that has run out, starts nothing', () => {
  const stranger = new SampleContract('another').clients[0]?.organisation ?? assert.fail();
  const context = { ...contextOf(), keyring: { keyring: stranger.keyring } } as unknown as Context;
  assert.ok(reasonsOf(context, payloadOf()).includes('not-a-party'));
  const late = { ...contextOf(), clock: { now: () => terms.notAfter } } as unknown as Context;
  assert.ok(reasonsOf(late, payloadOf()).includes('expired'));
});
