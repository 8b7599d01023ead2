// A seed says everything: the same one replays the same faults.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawFault, drawFrom, KINDS, type Fault } from './schedule.ts';

const targets = { processes: ['p', 'q'], databases: ['d'], hosts: ['h', 'i'], disks: ['s'] };

function faultsOf(seed: number, long: boolean): Fault[] {
  const draw = drawFrom(seed);
  return Array.from({ length: 1_000 }, (_, at) => drawFault(draw, targets, { number: at + 1, long }));
}

test('a seed replays its faults, another one has others', () => {
  assert.deepEqual(faultsOf(7, false), faultsOf(7, false));
  assert.notDeepEqual(faultsOf(7, false), faultsOf(8, false));
});

test('every kind comes, at targets of its own, and is bounded; a minute only in the long mode', () => {
  const faults = faultsOf(1, false);
  assert.deepEqual(new Set(faults.map(({ kind }) => kind)), new Set(KINDS));
  for (const { kind, target, how, holds } of faults) {
    assert.ok(holds >= 300 && holds <= 5_000, `${kind} holds ${holds} ms`);
    if (kind === 'cut') assert.match(`${target} ${how}`, /^[hi] (in|out|both)$/);
    if (kind === 'clock') assert.match(`${target} ${how}`, /^[pq] [+-]600$/);
    if (kind === 'database-frozen') assert.equal(target, 'd');
    if (kind === 'disk-full') assert.equal(target, 's');
  }
  assert.ok(faultsOf(1, true).some(({ holds }) => holds === 60_000));
});
