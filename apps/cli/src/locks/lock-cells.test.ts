import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, seededRng } from '@ringfence/base';
import { LOCK_HEAD, lockCells } from './lock-cells.ts';

test('a lock says who set it, and that a confirmed one holds until it is lifted', () => {
  const rng = seededRng('lock cells');
  const [lock, device, officer] = [newId('lock', rng), newId('device', rng), newId('device', rng)];
  const row = {
    lock,
    target: { kind: 'device', device },
    source: 'officer',
    setAt: epochMs(1_800_000_000_000),
    setBy: officer,
    until: epochMs(1_800_086_400_000),
    term: 1,
    confirming: null,
    lifting: null,
    at: 'custodian',
  } as const;
  const shown = (cells: string[]) => Object.fromEntries(cells.map((cell, at) => [LOCK_HEAD[at], cell]));
  const first = shown(lockCells(row));
  assert.equal(first['BY'], officer);
  assert.match(first['UNTIL'] ?? '', /^20\d\d-/);
  const confirmed = shown(lockCells({ ...row, setBy: null, source: 'fork', until: null }));
  assert.deepEqual([confirmed['BY'], confirmed['UNTIL'], confirmed['AT']], ['-', 'until lifted', 'custodian (fork)']);
});
