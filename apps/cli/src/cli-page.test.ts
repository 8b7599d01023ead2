// docs/cli.md is complete: every verb stands in it with every flag, and no verb that there is not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VERBS } from './verbs.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');
const LINES = PAGE.split('\n');

/** The lines that are about a verb: rows and lines that name it, with the indented ones that go on after them. */
function linesAbout(verb: string): string {
  const named = new RegExp(`(?:\\bringfence |\`)${verb}(?![\\w-])`);
  return LINES.filter((line, index) => {
    if (named.test(line)) return true;
    return /^ {4,}\S/.test(line) && named.test(LINES[index - 1] ?? '');
  }).join('\n');
}

for (const [verb, load] of Object.entries(VERBS))
  test(`docs/cli.md describes \`ringfence ${verb}\` with each of its flags`, async () => {
    const about = linesAbout(verb);
    assert.ok(about.includes(`ringfence ${verb}`), `docs/cli.md lacks ringfence ${verb}`);
    const { command } = await load();
    for (const flag of Object.keys(command.options))
      assert.match(
        about,
        new RegExp(`--${flag}(?![\\w-])`),
        `docs/cli.md names no --${flag} where it is about ${verb}`,
      );
  });

test('docs/cli.md names no verb that there is not', () => {
  const groups = new Set(Object.keys(VERBS).map((verb) => verb.split(' ')[0]));
  const [known, named] = [Object.keys(VERBS), [...PAGE.matchAll(/`ringfence ([a-z-]+(?: [a-z-]+)?)/g)]];
  assert.ok(named.length > 30);
  for (const [, words = ''] of named) {
    const [first = ''] = words.split(' ');
    assert.ok(groups.has(first), `docs/cli.md names ringfence ${words}`);
    const isKnown = known.includes(words) || known.includes(first);
    assert.ok(isKnown, `docs/cli.md names ringfence ${words}`);
  }
});
