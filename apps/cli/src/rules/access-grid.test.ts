import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { askedText, readCases, ROLE_CELLS } from './access-grid.ts';

const device = newId('device', seededRng('cases'));

test('a file of cases is read line by line, and a line that is none is named', () => {
  const text = `# who may stop\nread-only job:stop no\n\nml-engineer+auditor job:exec job_x yes # a shell\n${device} job:list yes\n`;
  assert.deepEqual(readCases(text), [
    { question: { principal: { roles: ['read-only'] }, action: 'job:stop' }, allow: false },
    {
      question: { principal: { roles: ['ml-engineer', 'auditor'] }, action: 'job:exec', resource: 'job_x' },
      allow: true,
    },
    { question: { principal: device, action: 'job:list' }, allow: true },
  ]);
  for (const bad of [
    'read-only job:stop',
    'read-only yes',
    'read-only job:stop maybe',
    'boss job:stop yes',
    'a b c d yes',
  ])
    assert.throws(() => readCases(`# x\n${bad}\n`), { code: 'usage' }, bad);
  assert.deepEqual(readCases(''), []);
});

test('the grid has each cell once, and none that only agents can ask for', () => {
  const cells = ROLE_CELLS.map(askedText);
  assert.equal(new Set(cells).size, cells.length);
  assert.ok(cells.includes('auditor job:read') && !cells.some((cell) => cell.endsWith('grant:request')));
  assert.ok(cells.length <= 2_000, 'more than one request holds');
});
