import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import * as api from '../api/index.ts';
import { MESSAGES } from '../messages/registry.ts';
import { fenceStatement } from '../statements/index.ts';
import { fieldsToTell, learnedPage } from './learned-page.ts';
import { LEARNED_SOURCES, PARTS } from './learned-sources.ts';

const PAGE = new URL('../../../../docs/what-the-control-plane-learns.md', import.meta.url);

test('docs/what-the-control-plane-learns.md is what the schemas say (RINGFENCE_WRITE_DOCS=1 writes it)', () => {
  if (process.env['RINGFENCE_WRITE_DOCS'] === '1') writeFileSync(PAGE, learnedPage());
  assert.equal(readFileSync(PAGE, 'utf8'), learnedPage());
});

test('every field has its sentence, and no sentence stands for a field that is gone', () => {
  for (const source of LEARNED_SOURCES) {
    const paths = fieldsToTell(source).map(({ path }) => path);
    assert.deepEqual(Object.keys(source.tells).toSorted(), paths.toSorted(), source.what);
  }
});

test('every message that a control plane reads is told, and every body of a request', () => {
  const told = new Set(LEARNED_SOURCES.map(({ schema }) => schema));
  for (const [name, { reader, schema }] of Object.entries(MESSAGES))
    if (reader === 'control-plane') assert.ok(told.has(schema), name);
  assert.deepEqual(Object.keys(api.jobFence.shape), ['fence']);
  // A submission is its three parts, each told under its own heading.
  assert.deepEqual(Object.keys(api.jobSubmission.shape), ['job', 'label', 'placement']);
  assert.ok(told.has(api.organisationRegistration) && told.has(api.planRequest) && told.has(api.jobStop));
  // The body of a fence is the statement.
  assert.deepEqual(Object.keys(api.jobFence.shape), ['fence']);
  assert.ok(told.has(fenceStatement) && told.has(api.agentDrain));
  for (const { see } of PARTS) assert.ok(LEARNED_SOURCES.some(({ what }) => what === see));
});

test('what is told has no free text', () => {
  assert.doesNotMatch(learnedPage(), /\| (?:text|anything|string)/);
});
