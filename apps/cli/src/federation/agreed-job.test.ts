import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { JobFileError, parseJobFile } from '@ringfence/protocol/job-file';
import type { Contract } from '@ringfence/protocol/statements';
import { underContract } from './agreed-job.ts';

const [org, host] = [newId('org', rng), newId('org', rng)];
const [site, hub] = [newId('site', rng), newId('site', rng)];
const IMAGE = `acme/train@sha256:${'0123456789abcdef'.repeat(4)}`;

function termsOf(code: object): Contract {
  return {
    purpose: 'research',
    clients: [{ org, site, dataset: { name: 'rows' } }],
    aggregator: { org: host, site: hub },
    code,
    outputs: [{ recipients: [org] }],
  } as unknown as Contract;
}

const EMBEDDED = termsOf({ kind: 'embedded' });
const OWN = termsOf({ kind: 'own', run: 'python3 t.py', image: IMAGE });
const CLIENT = 'name: a\ntype: federate\nfederation: {contract: study}\nmounts: {/data: {dataset: rows}}\n';
const AGGREGATOR = 'name: a\ntype: federate\nfederation: {contract: study, role: aggregator}\n';

function problemsOf(text: string, terms: Contract, by = org): readonly string[] {
  try {
    underContract(parseJobFile(text), terms, by);
  } catch (error) {
    assert.ok(error instanceof JobFileError, String(error));
    return error.problems.map(({ path }) => path);
  }
  return [];
}

test('code, purpose and place of a job are those of its contract', () => {
  const embedded = underContract(parseJobFile(CLIENT), EMBEDDED, org);
  assert.deepEqual(
    [embedded.site, embedded.bringsCode, embedded.file.run, embedded.file.purpose],
    [site, false, undefined, 'research'],
  );
  const own = underContract(parseJobFile(CLIENT), OWN, org);
  assert.deepEqual(
    [own.bringsCode, own.file.run, own.file.root],
    [true, 'python3 t.py', { kind: 'image', reference: IMAGE }],
  );
  const aggregator = underContract(parseJobFile(AGGREGATOR), OWN, host);
  assert.deepEqual([aggregator.site, aggregator.bringsCode, aggregator.file.run], [hub, false, undefined]);
  assert.deepEqual(problemsOf(`${CLIENT}run: python3 t.py\nimage: ${IMAGE}\npurpose: research\n`, OWN), []);
});

test('what a file says otherwise than its contract is named by its key', () => {
  const output = 'outputs: {/out: {artifact: m}}\n';
  const cases: readonly (readonly [text: string, terms: Contract, path: string, by?: typeof org])[] = [
    [`${CLIENT}purpose: care\n`, EMBEDDED, 'purpose'],
    [`${CLIENT}run: sh x\n`, EMBEDDED, 'run'],
    [`${CLIENT}setup: make\n`, EMBEDDED, 'setup'],
    [`${CLIENT}python: "3.12"\n`, EMBEDDED, 'python'],
    [`${CLIENT}run: sh x\n`, OWN, 'run'],
    [`${CLIENT}setup: make\n`, OWN, 'setup'],
    [`${CLIENT}python: "3.12"\n`, OWN, 'python'],
    [CLIENT.replace('rows', 'others'), EMBEDDED, 'mounts'],
    [CLIENT, EMBEDDED, 'mounts', host],
    [AGGREGATOR, EMBEDDED, 'federation.role'],
  ];
  for (const [text, terms, path, by] of cases) assert.deepEqual(problemsOf(text, terms, by), [path], text);
  const others = { ...EMBEDDED, outputs: [{ recipients: [host] }] } as unknown as Contract;
  assert.deepEqual(problemsOf(CLIENT + output, others), ['outputs']);
  assert.deepEqual(problemsOf(CLIENT + output, EMBEDDED), []);
});
