import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { profileRequirements } from '../statements/rules.ts';
import { JobFileError } from './problem.ts';
import { parseProfileFile } from './profile-file.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../../docs/policy.md'), 'utf8');

function problemsOf(text: string): (readonly [string, string])[] {
  try {
    parseProfileFile(text);
  } catch (error) {
    assert.ok(error instanceof JobFileError);
    return error.problems.map(({ path, code }) => [path, code] as const);
  }
  return [];
}

describe('the file of a profile', () => {
  test('as docs/policy.md shows one says all that a profile can', () => {
    const [, text = ''] = /^```yaml profile\n([\s\S]*?)^```$/m.exec(PAGE) ?? [];
    const { name, requirements } = parseProfileFile(text);
    assert.equal(name, 'hospital-strict');
    assert.deepEqual(Object.keys(requirements).toSorted(), Object.keys(profileRequirements.shape).toSorted());
    assert.deepEqual(profileRequirements.parse(requirements), requirements);
    assert.deepEqual(requirements.evidence, { require: ['iso27001'], grade: 'third-party' });
    assert.deepEqual(requirements.budget, { microUnits: 100_000_000, currency: 'EUR' });
  });

  test('says nothing of what it leaves out', () => {
    assert.deepEqual(parseProfileFile('name: a\n').requirements, {});
    assert.deepEqual(parseProfileFile('name: a\nprivacy: {egress: []}\n').requirements, { egress: [] });
  });

  test('cannot loosen, and knows no other keys', () => {
    const wrong: readonly (readonly [string, string, string])[] = [
      ['privacy: {burst: allowed}', 'privacy.burst', 'wrong-value'],
      ['privacy: {logs: sealed}', 'privacy.logs', 'wrong-value'],
      ['privacy: {customer_key: false}', 'privacy.customer_key', 'wrong-value'],
      ['resources: {spot: only}', 'resources.spot', 'wrong-value'],
      ['resources: {cpus: 4}', 'resources.cpus', 'unknown-key'],
      ['privacy: {tee: {require: [tdx]}}', 'privacy.tee', 'unknown-key'],
      ['run: true', 'run', 'unknown-key'],
      ['privacy: {isolaton: gvisor}', 'privacy.isolaton', 'unknown-key'],
    ];
    for (const [added, path, code] of wrong) assert.deepEqual(problemsOf(`name: a\n${added}\n`), [[path, code]], added);
    assert.deepEqual(problemsOf('privacy: {logs: local}\n'), [['name', 'missing']]);
  });
});
