import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SENSITIVITIES } from '../fields.ts';
import { parseJobFile } from './parse.ts';
import { JobFileError } from './problem.ts';
import { requireLabel } from './resolve.ts';
import { RESERVED_SANDBOX_ROOTS } from './sandbox-path.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../../docs/job-file.md'), 'utf8');

function blocks(info: string): string[] {
  return [...PAGE.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === info)
    .map(([, , text]) => text ?? '');
}

function messageOf(text: string): string {
  try {
    parseJobFile(text);
  } catch (error) {
    assert.ok(error instanceof JobFileError);
    return error.message;
  }
  return '';
}

describe('docs/job-file.md', () => {
  test('its examples are right, also under the label of the example data', () => {
    assert.equal(blocks('yaml').length, 4);
    for (const text of blocks('yaml')) requireLabel(parseJobFile(text), 'internal');
  });

  test('its fragments are right within a job', () => {
    assert.equal(blocks('yaml fragment').length, 6);
    for (const text of blocks('yaml fragment')) assert.equal(messageOf(`name: a\nrun: b\n${text}`), '');
  });

  test('shows what a wrong file is answered with, to the letter', () => {
    assert.deepEqual(
      blocks('yaml refused').map(messageOf),
      blocks('text').map((text) => text.trimEnd()),
    );
  });

  test('names every key that the reader knows', () => {
    const sections = [
      '',
      'resources',
      'retry',
      'notify',
      'service',
      'service.scaling',
      'federation',
      'weights',
      'privacy',
      'privacy.place',
      'privacy.tee',
    ];
    let known = 0;
    for (const section of sections) {
      const inner = section
        .split('.')
        .reduceRight((text, key) => (key === '' ? text : `{${key}: ${text}}`), '{zzzzzzzz: 1}');
      const keys = /known here: (.*)/.exec(messageOf(inner))?.[1]?.split(', ') ?? [];
      known += keys.length;
      for (const key of keys) assert.match(PAGE, new RegExp(`[\`{.: ]${key}[\`:]`), `${section}.${key}`);
    }
    assert.equal(known, 66);
  });

  test('names every reserved path, word and label', () => {
    for (const root of RESERVED_SANDBOX_ROOTS) assert.ok(PAGE.includes(`\`${root}\``), root);
    for (const label of SENSITIVITIES) assert.ok(PAGE.includes(`| \`${label}\` |`), label);
  });
});
