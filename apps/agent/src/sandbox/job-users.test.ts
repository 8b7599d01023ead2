import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { need } from '../../../../scripts/needs.ts';
import { hostIdentity } from './capabilities.ts';
import { SLOTS, claimJobUsers } from './job-users.ts';
import { bootId, processStat } from './process-table.ts';

function registry(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-registry-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('two agents of one machine get different users, and so do two jobs of one agent', (t) => {
  if (!need(t, 'root')) return;
  const folder = registry(t);
  const [one, two] = [claimJobUsers({ registry: folder }), claimJobUsers({ registry: folder })];
  assert.ok(one.kind === 'dedicated' && two.kind === 'dedicated');
  assert.ok(Math.abs(one.firstUid - two.firstUid) >= SLOTS);
  const uids = [one, two].flatMap((users) => Array.from({ length: SLOTS }, (_, slot) => hostIdentity(users, slot).uid));
  assert.equal(new Set(uids).size, 2 * SLOTS);
  assert.ok(uids.every((uid) => uid >= 61_184 && uid <= 65_519));
});

test('the block of an agent that is gone is free again; that of a living one is not, whichever release claimed it', (t) => {
  if (!need(t, 'root')) return;
  const folder = registry(t);
  const ticks = processStat(process.pid)?.startTicks ?? 0;
  const first = claimJobUsers({ registry: folder });
  assert.ok(first.kind === 'dedicated');
  const block = join(folder, `block-${first.firstUid}`);
  for (const owner of [
    { pid: process.pid, started: String(ticks - 1), boot: bootId() },
    { pid: 4_000_000, started: '1', boot: bootId() },
    { pid: process.pid, started: String(ticks), boot: 'other-boot' },
    '',
  ]) {
    const [lock = ''] = readdirSync(block);
    writeFileSync(join(block, lock), JSON.stringify(owner));
    assert.deepEqual(claimJobUsers({ registry: folder }), first);
  }
  assert.notDeepEqual(claimJobUsers({ registry: folder }), first);
  assert.equal(readdirSync(block).length, 1);
});

test('a block that an agent of an earlier release claimed by a file is its own while it lives', (t) => {
  if (!need(t, 'root')) return;
  const ticks = processStat(process.pid)?.startTicks ?? 0;
  const [free, before] = [registry(t), registry(t)];
  const first = claimJobUsers({ registry: free });
  assert.ok(first.kind === 'dedicated');
  const claim = join(before, String(first.firstUid));
  writeFileSync(claim, `${bootId()} ${process.pid} ${ticks}`);
  assert.notDeepEqual(claimJobUsers({ registry: before }), first);
  writeFileSync(claim, `${bootId()} ${process.pid} ${ticks - 1}`);
  assert.deepEqual(claimJobUsers({ registry: before }), first);
});

test('the operator may set a range aside, outside of accounts of the system', (t) => {
  if (!need(t, 'root')) return;
  assert.deepEqual(claimJobUsers({ firstUid: 200_000 }), { kind: 'dedicated', firstUid: 200_000, slots: SLOTS });
  for (const firstUid of [0, 999, -1, 4_294_967_295])
    assert.throws(() => claimJobUsers({ firstUid }), { code: 'no-free-uids' });
});

test('every slot of an agent without privileges is the agent’s own user', () => {
  const users = { kind: 'own', uid: 1000, gid: 1001 } as const;
  assert.deepEqual(hostIdentity(users, 9), { uid: 1000, gid: 1001 });
});
