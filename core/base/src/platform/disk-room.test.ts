import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { need } from '../../../../scripts/needs.ts';
import { DiskRoom } from './disk-room.ts';

/** A disk of 16 MiB of its own; undefined, with the test skipped, where nobody may mount one. */
function smallDisk(t: TestContext): string | undefined {
  if (!need(t, 'tmpfs')) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder], { encoding: 'utf8' });
  t.after(() => {
    spawnSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  assert.equal(mounted.status, 0, mounted.stderr);
  return folder;
}

test('a disk is full below its reserve, and has room again only well above it', (t) => {
  const folder = smallDisk(t);
  if (folder === undefined) return;
  const room = new DiskRoom([tmpdir(), folder], 4_000_000);
  assert.ok(!room.isFull() && room.hasRoomFor(12_000_000) && !room.hasRoomFor(13_000_000));
  writeFileSync(join(folder, 'large'), Buffer.alloc(13_000_000));
  assert.ok(room.isFull(), 'the fuller of two disks counts');
  writeFileSync(join(folder, 'large'), Buffer.alloc(11_800_000));
  assert.ok(room.isFull(), 'half as much again has to be free');
  assert.ok(!new DiskRoom([folder], 4_000_000).isFull());
  rmSync(join(folder, 'large'));
  assert.ok(!room.isFull());
});

test('the reserve of a small disk is its twentieth part, that of a large one a gigabyte', (t) => {
  const folder = smallDisk(t);
  if (folder === undefined) return;
  assert.equal(new DiskRoom([folder], undefined).state().reserveBytes, Math.floor((16 * 1_048_576) / 20));
});
