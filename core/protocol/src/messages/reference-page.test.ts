import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { MESSAGES, RESERVED } from './registry.ts';
import { messagesPage } from './reference-page.ts';

const PAGE = new URL('../../../../docs/protocol/messages.md', import.meta.url);

test('docs/protocol/messages.md is what the registry says (RINGFENCE_WRITE_DOCS=1 writes it)', () => {
  if (process.env['RINGFENCE_WRITE_DOCS'] === '1') writeFileSync(PAGE, messagesPage());
  assert.equal(readFileSync(PAGE, 'utf8'), messagesPage());
});

test('numbers are used once', () => {
  const numbers = [...Object.values(MESSAGES).map(({ number }) => number), ...Object.values(RESERVED)];
  assert.equal(new Set(numbers).size, numbers.length);
});

test('no message carries free text or an unbounded value', () => {
  const page = messagesPage();
  assert.doesNotMatch(page, /\| text|anything|…\s*\||whole number …|\| string/);
});
