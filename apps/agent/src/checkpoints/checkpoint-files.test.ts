import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { WORKLOAD } from '../attempt/members.fixture.ts';
import { checkpointPlace } from './checkpoint-place.ts';
import { copyCheckpoint } from './copy-checkpoint.ts';
import { isUnfinishedName, lookAtFolder, stampOf } from './look-at-folder.ts';
import { anyOpenForWriting } from './open-writers.ts';

const outer = mkdtempSync(join(tmpdir(), 'ringfence-checkpoint-'));
const root = join(outer, 'out');
const ckpt = join(root, 'ckpt');
after(() => rmSync(outer, { recursive: true, force: true }));
beforeEach(() => {
  rmSync(outer, { recursive: true, force: true });
  mkdirSync(join(ckpt, 'step-1'), { recursive: true });
  writeFileSync(join(ckpt, 'step-1', 'model.pt'), 'weights');
  writeFileSync(join(ckpt, 'state.json'), '{}');
  writeFileSync(join(outer, 'outside'), 'of another job');
});

const look = () => lookAtFolder(root, ['ckpt']) ?? assert.fail();
const paths = (): string[] => look().map(({ path }) => path);

describe('a look at a checkpoint', () => {
  it('sees regular files, without unfinished names', () => {
    for (const name of ['model.pt.tmp', 'tmp-checkpoint-500', '.hidden', 'a.part', '7.orbax-checkpoint-tmp-1', 'b~']) {
      assert.ok(isUnfinishedName(name), name);
      writeFileSync(join(ckpt, name), 'half');
    }
    for (const name of ['part-00000.bin', 'temperature.npy', 'model.safetensors', 'attempt', 'partial_sums.npy'])
      assert.ok(!isUnfinishedName(name), name);
    assert.deepEqual(paths(), ['state.json', 'step-1/model.pt']);
  });

  it('follows no link: not of a file, not of a folder, not of the checkpoint itself or what it lies in', () => {
    symlinkSync(join(outer, 'outside'), join(ckpt, 'file'));
    symlinkSync(outer, join(ckpt, 'folder'));
    assert.deepEqual(paths(), ['state.json', 'step-1/model.pt']);
    rmSync(ckpt, { recursive: true });
    symlinkSync(outer, ckpt);
    assert.equal(lookAtFolder(root, ['ckpt']), undefined);
    rmSync(root, { recursive: true });
    symlinkSync(outer, root);
    mkdirSync(join(outer, 'ckpt'));
    assert.equal(lookAtFolder(outer, ['out', 'ckpt']), undefined);
  });

  it('is another one after each change: content, time, name, or one file in the place of another', () => {
    const seen = new Set([stampOf(look())]);
    const changes = [
      () => appendFileSync(join(ckpt, 'state.json'), ' '),
      () => writeFileSync(join(ckpt, 'state.json'), '{ }'),
      () => renameSync(join(ckpt, 'state.json'), join(ckpt, 'other.json')),
      () => {
        writeFileSync(join(ckpt, 'new.tmp'), '{ }');
        renameSync(join(ckpt, 'new.tmp'), join(ckpt, 'other.json'));
      },
    ];
    for (const [index, change] of changes.entries()) {
      change();
      seen.add(stampOf(look()));
      assert.equal(seen.size, index + 2);
    }
  });
});

describe('a copy of a checkpoint', () => {
  const to = join(outer, 'copy');

  it('holds what was seen', async () => {
    assert.ok(await copyCheckpoint(root, ['ckpt'], look(), to));
    assert.equal(readFileSync(join(to, 'step-1', 'model.pt'), 'utf8'), 'weights');
    assert.deepEqual(readdirSync(to).toSorted(), ['state.json', 'step-1']);
  });

  it('is refused when a file, or a folder on the way to it, became a link or another file since', async () => {
    const traps = [
      () => symlinkSync(join(outer, 'outside'), join(ckpt, 'state.json')),
      () => writeFileSync(join(ckpt, 'state.json'), '{}'),
      () => mkdirSync(join(ckpt, 'state.json')),
    ];
    for (const trap of traps) {
      const files = look();
      rmSync(join(ckpt, 'state.json'), { recursive: true });
      trap();
      assert.equal(await copyCheckpoint(root, ['ckpt'], files, to), false);
      assert.ok(
        !existsSync(join(to, 'state.json')) || readFileSync(join(to, 'state.json'), 'utf8') !== 'of another job',
      );
      rmSync(join(ckpt, 'state.json'), { recursive: true });
      writeFileSync(join(ckpt, 'state.json'), '{}');
    }
    const files = look();
    mkdirSync(join(outer, 'elsewhere'));
    writeFileSync(join(outer, 'elsewhere', 'model.pt'), 'of another job');
    rmSync(join(ckpt, 'step-1'), { recursive: true });
    symlinkSync(join(outer, 'elsewhere'), join(ckpt, 'step-1'));
    assert.equal(await copyCheckpoint(root, ['ckpt'], files, to), false);
  });
});

it('a file that a process has open for writing is found, one that is only read is not', () => {
  const files = look();
  assert.ok(!anyOpenForWriting([process.pid], files));
  const reader = openSync(join(ckpt, 'state.json'), 'r');
  assert.ok(!anyOpenForWriting([process.pid], files));
  for (const flags of ['a', 'r+'] as const) {
    const writer = openSync(join(ckpt, 'state.json'), flags);
    assert.ok(anyOpenForWriting([process.pid], files), flags);
    closeSync(writer);
  }
  closeSync(reader);
  assert.ok(!anyOpenForWriting([process.pid, 2 ** 22 + 1], files));
});

it('the place of a checkpoint is the output that it lies in, and the steps from there', () => {
  const outputs = [
    { path: '/out', artifact: 'a' as never, version: 1 },
    { path: '/outer', artifact: 'b' as never, version: 1 },
  ];
  const place = (checkpoint: string) => checkpointPlace({ workload: { ...WORKLOAD, checkpoint }, outputs });
  assert.deepEqual(place('/outer/a/b'), { output: 1, steps: ['a', 'b'] });
  assert.deepEqual(place('/out'), { output: 0, steps: [] });
  assert.equal(place('/outside'), undefined);
  assert.equal(checkpointPlace({ workload: WORKLOAD, outputs }), undefined);
});
