import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseJobFile } from './parse.ts';
import { JobFileError } from './problem.ts';

function problems(text: string): string[] {
  try {
    parseJobFile(`name: a\nrun: b\n${text}\n`);
  } catch (error) {
    if (error instanceof JobFileError) return error.problems.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
  return [];
}

describe('the identity of a job file', () => {
  it('is a map from file names to audiences', () => {
    const { identity } = parseJobFile('name: a\nrun: b\nidentity: {vault: "https://vault.example:8200", db-1: db}\n');
    assert.deepEqual(identity, { vault: 'https://vault.example:8200', 'db-1': 'db' });
    assert.deepEqual(parseJobFile('name: a\nrun: b\n').identity, {});
  });

  for (const [text, problem] of [
    ['identity: [vault]', 'identity wrong-shape'],
    ['identity: {}', 'identity out-of-range'],
    [
      `identity: {${'abcdefghi'
        .split('')
        .map((name) => `${name}: x`)
        .join(', ')}}`,
      'identity out-of-range',
    ],
    ['identity: {../vault: x}', 'identity.? wrong-value'],
    ['identity: {Vault: x}', 'identity.Vault wrong-value'],
    ['identity: {vault: "a b"}', 'identity.vault wrong-value'],
    ['identity: {vault: ""}', 'identity.vault wrong-value'],
    ['identity: {vault: [x]}', 'identity.vault wrong-value'],
    ['identity: {vault: x}\nprivacy: {isolation: process}', 'identity contradiction'],
  ] as const)
    it(`refuses ${text.replaceAll('\n', ' · ')}`, () => assert.deepEqual(problems(text), [problem]));
});
