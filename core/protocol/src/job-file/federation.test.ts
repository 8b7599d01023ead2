import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJobFile } from './parse.ts';
import { JobFileError } from './problem.ts';

function problemsOf(text: string): readonly (readonly [string, string])[] {
  try {
    parseJobFile(text);
  } catch (error) {
    assert.ok(error instanceof JobFileError, String(error));
    return error.problems.map(({ path, code }) => [path, code]);
  }
  return [];
}

const CLIENT = 'name: a\ntype: federate\nfederation: {contract: study}\nmounts: {/data: {dataset: d}}\n';
const AGGREGATOR = 'name: a\ntype: federate\nfederation: {contract: study, role: aggregator}\n';
const IMAGE = `acme/train@sha256:${'0123456789abcdef'.repeat(4)}`;

test('a client names its contract and its dataset, and needs no code', () => {
  const { federation, run, type } = parseJobFile(CLIENT);
  assert.deepEqual([federation, run, type], [{ contract: 'study', role: 'client' }, undefined, 'federate']);
  const more = 'outputs: {/out: {artifact: m}}\npurpose: research\nmax_duration: 2h\nretry: {on: [interruption]}\n';
  assert.deepEqual(problemsOf(CLIENT + more), []);
  assert.deepEqual(problemsOf(`${CLIENT}run: python3 t.py\nsetup: make\npython: "3.12"\n`), []);
  assert.deepEqual(parseJobFile(AGGREGATOR).federation, { contract: 'study', role: 'aggregator' });
  assert.equal(parseJobFile('name: a\nrun: b\n').federation, undefined);
});

test('what contradicts a federation is named by its key', () => {
  const cases: readonly (readonly [text: string, path: string, code: string])[] = [
    ['name: a\ntype: federate\nmounts: {/data: {dataset: d}}', 'federation', 'missing'],
    ['name: a\nrun: b\nfederation: {contract: study}', 'federation', 'contradiction'],
    ['name: a\nrun: b\ntype: batch\nfederation: {contract: study}', 'federation', 'contradiction'],
    ['name: a\ntype: federate\nfederation: {contract: study}', 'mounts', 'missing'],
    ['name: a\ntype: federate\nfederation: {contract: study}\nmounts: {}', 'mounts', 'contradiction'],
    [
      'name: a\ntype: federate\nfederation: {contract: study}\nmounts: {/a: {dataset: d}, /b: {dataset: e}}',
      'mounts',
      'contradiction',
    ],
    [`${CLIENT}outputs: {/a: {artifact: m}, /b: {artifact: n}}`, 'outputs', 'contradiction'],
    [`${CLIENT}env: {A: b}`, 'env', 'contradiction'],
    [`${CLIENT}secrets: [A]`, 'secrets', 'contradiction'],
    [`${CLIENT}privacy: {egress: ["a.example:443"]}`, 'privacy.egress', 'contradiction'],
    [
      `${CLIENT}outputs: {/out: {artifact: m}}\nretry: {on: [error], checkpoint: /out/c}`,
      'retry.checkpoint',
      'contradiction',
    ],
    [`${CLIENT}service: {port: 8000}`, 'service', 'contradiction'],
    ...(['run: b', 'setup: b', `image: ${IMAGE}`, 'python: "3.12"'] as const).map(
      (line) => [`${AGGREGATOR}${line}`, line.split(':')[0] ?? '', 'contradiction'] as const,
    ),
    [`${AGGREGATOR}mounts: {/data: {dataset: d}}`, 'mounts', 'contradiction'],
    [`${AGGREGATOR}outputs: {/out: {artifact: m}}`, 'outputs', 'contradiction'],
    [`${CLIENT.replace('{contract: study}', '{role: client}')}`, 'federation.contract', 'missing'],
    [`${CLIENT.replace('study', '-study')}`, 'federation.contract', 'wrong-value'],
    [`${CLIENT.replace('study}', 'study, role: server}')}`, 'federation.role', 'wrong-value'],
    [`${CLIENT.replace('study}', 'study, epsilon: 3}')}`, 'federation.epsilon', 'unknown-key'],
  ];
  for (const [text, ...problem] of cases) assert.deepEqual(problemsOf(`${text}\n`), [problem], text);
});

test('a type that is there and wrong says nothing of what was meant', () => {
  assert.deepEqual(problemsOf('name: a\nrun: b\ntype: federated\nfederation: {contract: study}\n'), [
    ['type', 'wrong-value'],
  ]);
});
