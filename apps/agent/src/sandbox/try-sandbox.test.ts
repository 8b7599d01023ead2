import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ABLE_MACHINE } from './sandbox-spec.fixture.ts';
import { missingFact } from './try-sandbox.ts';

const ZERO = '0000000000000000';
const LO =
  '    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0';
const GOOD = [
  'Uid:\t65534\t65534\t65534\t65534',
  'Groups:\t ',
  `CapEff:\t${ZERO}`,
  `CapBnd:\t${ZERO}`,
  'NoNewPrivs:\t1',
  'Seccomp:\t2',
  LO,
].join('\n');

test('a report of a confined job passes', () => {
  assert.equal(missingFact('sandbox', GOOD, ABLE_MACHINE), null);
});

test('each fact that is missing is found', () => {
  const breaches = [
    ['Groups:\t ', 'Groups:\t0 27 '],
    [`CapEff:\t${ZERO}`, 'CapEff:\t0000000000000001'],
    [`CapBnd:\t${ZERO}`, 'CapBnd:\t000001ffffffffff'],
    ['NoNewPrivs:\t1', 'NoNewPrivs:\t0'],
    ['Seccomp:\t2', 'Seccomp:\t0'],
    ['Uid:\t65534', 'Uid:\t0'],
    [LO, `${LO}\n${LO.replace('    lo', '  eth0')}`],
  ] as const;
  const found = breaches.map(([line, breach]) => missingFact('sandbox', GOOD.replace(line, breach), ABLE_MACHINE));
  assert.equal(new Set(found).size, breaches.length);
  assert.ok(!found.includes(null));
  for (const [line] of breaches.slice(0, 6))
    assert.notEqual(missingFact('sandbox', GOOD.replace(line, ''), ABLE_MACHINE), null);
});

test('level process is judged by what it promises', () => {
  const bare = GOOD.replace('Seccomp:\t2', 'Seccomp:\t0').replace('Uid:\t65534', 'Uid:\t61184');
  assert.equal(missingFact('process', bare, ABLE_MACHINE), null);
  assert.notEqual(missingFact('process', bare.replace('Groups:\t ', 'Groups:\t0 '), ABLE_MACHINE), null);
});
