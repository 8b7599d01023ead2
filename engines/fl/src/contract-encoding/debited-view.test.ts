import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { newId } from '@ringfence/base';
import { debitedView } from './index.ts';

const rng = seededRng('debited view');
const [a, b, c] = [0, 1, 2].map(() => ({ org: newId('org', rng) }));

test('a budget is debited by the one who knows most of the noise and is shown each model', () => {
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  assert.equal(debitedView([a, b, c], 3), 'member');
  assert.equal(debitedView([a, b, c], 1), 'others', 'all the noise may be that of one client');
  assert.equal(debitedView([a, b, b], 3), 'others', 'two clients of one organisation know two shares');
  assert.equal(debitedView([a, a, a], 3), 'outsiders', 'nobody else is shown a model and knows noise');
});
