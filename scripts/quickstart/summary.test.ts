import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarise } from './summary.ts';

test('what left each party stands in one column, however long its name is', () => {
  const wire = ['custodian', 'agent-aggregator'].map((party) => ({ party, frames: 17, bytes: 18_432, ok: true }));
  const training = { job: '', isolation: 'sandbox', limits: 'rlimits', accuracy: 0.99, problems: [] };
  const text = summarise({ training, serving: { malignant: [], problems: [] }, wire, problems: [] });
  const columns = text.split('\n').flatMap((line) => (line.includes('17 control') ? [line.indexOf('17 control')] : []));
  assert.deepEqual(columns, [20, 20]);
});
