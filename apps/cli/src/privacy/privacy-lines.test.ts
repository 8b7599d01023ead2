import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, systemRng as rng } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import type { Decimal } from '@ringfence/protocol/federation';
import type { PrivacyRow } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { boundOf, unitOf } from './budget-flags.ts';
import { privacyLines } from './privacy-lines.ts';

const at = epochMs(1_767_312_000_000);
const dec = (text: string) => text as Decimal;
const contract = sha256Hex(Buffer.from('a contract'));
const row: PrivacyRow = {
  name: 'admissions',
  artifact: newId('artifact', rng),
  contractOnly: true,
  budget: { unit: { kind: 'record' }, epsilon: dec('3'), delta: dec('0.00001'), device: newId('device', rng), at },
  spent: { epsilon: 1.24991, enforced: 1, left: 1.75009 },
  doubt: null,
  settled: null,
  family: ['admissions-clean'],
  contracts: [
    {
      contract,
      rounds: 40,
      unit: { kind: 'record' },
      grade: 'enforced',
      epsilon: 1.25,
      outsiders: 0.89991,
      member: 1.25,
      others: null,
    },
  ],
  uncounted: [
    { dataset: null, contract: null, job: newId('job', rng), times: 1, first: at, last: at },
    { dataset: 'admissions-clean', contract, job: null, times: 3, first: at, last: epochMs(at + 86_400_000) },
  ],
};

test('an account says what is left, against whom, and what was not counted', () => {
  const text = privacyLines(row).join('\n');
  for (const part of [
    'admissions (',
    'for federations alone',
    'budget   epsilon 3 at delta 0.00001, unit record',
    'spent    epsilon 1.2500, of it 1.0000 enforced',
    'left     epsilon 1.7500',
    `contract ${contract.slice(0, 16)}: 40 rounds`,
    'against outsiders: epsilon 0.9000',
    'against one curious member: epsilon 1.2500',
    'against all others together: epsilon without bound',
    'counted together with admissions-clean',
    'not counted: 1 start of job_',
    'not counted: 3 rounds without noise of contract',
    'on admissions-clean',
  ])
    assert.ok(text.includes(part), `${part}\n${text}`);
  const doubted = privacyLines({
    ...row,
    doubt: { cause: 'restored', at, least: null },
    spent: { epsilon: null, enforced: null, left: 0 },
  });
  assert.ok(doubted.some((line) => line.includes('restored from an archive')));
  assert.ok(doubted.includes('  spent    epsilon without bound'));
  assert.ok(privacyLines({ ...row, budget: null, spent: null }).some((line) => line.includes('no budget')));
});

test('flags of a budget are numbers and one of three units', () => {
  assert.deepEqual(boundOf({ epsilon: '3', delta: '1e-5' }), { epsilon: '3', delta: '0.00001' });
  assert.equal(boundOf({}), undefined);
  assert.deepEqual(unitOf({ unit: 'person', column: 'patient', 'most-rows': '4' }), {
    kind: 'person',
    column: 'patient',
    mostRows: 4,
  });
  assert.deepEqual(unitOf({ unit: 'organisation' }), { kind: 'organisation' });
  const wrong = [
    { epsilon: '3' },
    { delta: '1e-5' },
    { epsilon: '0', delta: '1e-5' },
    { epsilon: '-1', delta: '1e-5' },
    { epsilon: '', delta: '1e-5' },
    { epsilon: '3', delta: '2' },
    { epsilon: '1e-30', delta: '1e-5' },
  ];
  for (const flags of wrong) assert.throws(() => boundOf(flags), CliError, JSON.stringify(flags));
  const units = [{}, { unit: 'row' }, { unit: 'person' }, { unit: 'person', column: 'a', 'most-rows': '0.5' }];
  for (const flags of [...units, { unit: 'record', column: 'a' }])
    assert.throws(() => unitOf(flags), CliError, JSON.stringify(flags));
});
