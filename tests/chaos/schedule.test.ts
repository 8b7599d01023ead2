// A seed says everything: the same one replays the same faults.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawFault, drawFrom, KINDS, type Fault } from './schedule.ts';

const targets = { processes: ['p', 'q'], databases: ['d', 'e'], hosts: ['h', 'i'], disks: ['s'] };

function faultsOf(seed: number, long: boolean): Fault[] {
  const draw = drawFrom(seed);
  return Array.from({ length: 1_000 }, (_, at) => drawFault(draw, targets, { number: at + 1, long }));
}

test('a seed replays its faults, another one has others', () => {
  assert.deepEqual(faultsOf(7, false), faultsOf(7, false));
  assert.notDeepEqual(faultsOf(7, false), faultsOf(8, false));
});

test('every kind comes, at targets of its own, and is bounded; each database is gone for a minute, others only in the long mode', () => {
  const all = faultsOf(1, false);
  const faults = all.filter(({ holds }) => holds !== 60_000);
  const gone = all.filter(({ holds }) => holds === 60_000).map(({ kind, target }) => `${kind} ${target}`);
  assert.deepEqual(gone.slice(0, 2), ['database-frozen d', 'database-frozen e']);
  assert.deepEqual(new Set(faults.map(({ kind }) => kind)), new Set(KINDS));
  for (const { kind, target, how, holds } of faults) {
    assert.ok(holds >= 300 && holds <= 5_000, `${kind} holds ${holds} ms`);
    if (kind === 'cut') assert.match(`${target} ${how}`, /^[hi] (in|out|both)$/);
    if (kind === 'clock') assert.match(`${target} ${how}`, /^[pq] [+-]600$/);
    if (kind === 'database-frozen') assert.match(target, /^[de]$/);
    if (kind === 'disk-full') assert.equal(target, 's');
  }
  const long = faultsOf(1, true).filter(({ holds }) => holds === 60_000);
  assert.ok(new Set(long.map(({ kind }) => kind)).size > 1);
});
