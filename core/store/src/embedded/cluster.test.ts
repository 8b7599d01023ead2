import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideCluster, type Marker } from './cluster.ts';

const marker: Marker = { version: 1, id: 'a'.repeat(32), cluster: '/c', initialized: true };
const other = 'b'.repeat(32);

test('data that was complete once must be there again, under the same id and at the same place', () => {
  const disk = { cluster: '/c', id: marker.id, hasData: true };
  assert.deepEqual(decideCluster(marker, disk), { do: 'use' });
  for (const lost of [
    { ...disk, hasData: false },
    { ...disk, id: other },
    { ...disk, id: undefined },
  ])
    assert.deepEqual(decideCluster(marker, lost), { do: 'refuse', code: 'data-missing' });
  assert.deepEqual(decideCluster(marker, { ...disk, cluster: '/elsewhere' }), { do: 'refuse', code: 'state-moved' });
});

test('a first start goes on where a crash left it', () => {
  const first = { ...marker, initialized: false };
  const disk = { cluster: '/c', id: undefined, hasData: false };
  assert.deepEqual(decideCluster(first, disk), { do: 'initialize' });
  assert.deepEqual(decideCluster(first, { ...disk, id: marker.id }), { do: 'initialize' });
  assert.deepEqual(decideCluster(first, { ...disk, id: marker.id, hasData: true }), { do: 'finish' });
});

test("a new state folder never takes over a former one's data", () => {
  const first = { ...marker, initialized: false };
  assert.deepEqual(decideCluster(first, { cluster: '/c', id: other, hasData: true }), { do: 'set-aside' });
  assert.deepEqual(decideCluster(first, { cluster: '/c', id: other, hasData: false }), { do: 'set-aside' });
  assert.deepEqual(decideCluster(first, { cluster: '/c', id: undefined, hasData: true }), { do: 'set-aside' });
});
