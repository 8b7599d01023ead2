import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import { SetupCache, setupKey } from './setup-cache.ts';

const rng = seededRng('setups');
const { signal } = new AbortController();
const [A, B] = [sha256Hex(rng.bytes(8)), sha256Hex(rng.bytes(8))];

function open(t: TestContext, limit = 1_000_000) {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-setups-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [kept, made, back] = ['kept', 'made', 'back'].map((name) => join(folder, name)) as [string, string, string];
  mkdirSync(made);
  return { kept, made, back, cache: new SetupCache(kept, limit) };
}

describe('the result of a setup', () => {
  it('comes back as it was: modes, times, links as they are written, and no rights of others', async (t) => {
    const { made, back, cache } = open(t);
    mkdirSync(join(made, 'bin'));
    writeFileSync(join(made, 'bin', 'tool'), 'x');
    chmodSync(join(made, 'bin', 'tool'), 0o4755);
    utimesSync(join(made, 'bin', 'tool'), 1_000_000, 1_000_000);
    symlinkSync('/etc/shadow', join(made, 'out'));
    symlinkSync('bin/tool', join(made, 'in'));
    chmodSync(join(made, 'bin'), 0o555);
    assert.ok(await cache.keep(A, made, signal));
    writeFileSync(join(made, 'later'), 'changed by the run');
    assert.ok(await cache.restore(A, back, signal));
    assert.deepEqual(
      new Set(readdirSync(back, { recursive: true, encoding: 'utf8' })),
      new Set(['bin', 'bin/tool', 'in', 'out']),
    );
    assert.equal(statSync(join(back, 'bin', 'tool')).mode & 0o7777, 0o755);
    assert.equal(statSync(join(back, 'bin', 'tool')).mtimeMs, 1_000_000_000);
    assert.equal(statSync(join(back, 'bin')).mode & 0o7777, 0o555);
    assert.ok(lstatSync(join(back, 'out')).isSymbolicLink());
    assert.equal(readlinkSync(join(back, 'in')), 'bin/tool');
  });

  it('is another for each restore: what one attempt writes, the next does not see', async (t) => {
    const { made, back, cache } = open(t);
    writeFileSync(join(made, 'file'), 'good');
    await cache.keep(A, made, signal);
    await cache.restore(A, back, signal);
    writeFileSync(join(back, 'file'), 'poison');
    await cache.restore(A, `${back}2`, signal);
    assert.equal(readFileSync(join(`${back}2`, 'file'), 'utf8'), 'good');
  });

  it('is not kept with a pipe in it, when it is too large, or when the attempt is ended; the attempt goes on', async (t) => {
    const { kept, made, back, cache } = open(t, 1_000);
    const ended = AbortSignal.abort();
    assert.equal(await cache.keep(A, made, ended), false);
    writeFileSync(join(made, 'sparse'), '');
    truncateSync(join(made, 'sparse'), 1e12);
    assert.equal(await cache.keep(A, made, signal), false);
    rmSync(join(made, 'sparse'));
    assert.equal(spawnSync('mkfifo', [join(made, 'pipe')]).status, 0);
    assert.equal(await cache.keep(A, made, signal), false);
    assert.equal(await cache.restore(A, back, signal), false);
    assert.deepEqual(readdirSync(kept), []);
  });

  it('makes room for newer ones', async (t) => {
    const { kept, made, back, cache } = open(t, 1_000);
    writeFileSync(join(made, 'file'), rng.bytes(600));
    assert.ok(await cache.keep(A, made, signal));
    assert.ok(await cache.keep(B, made, signal));
    assert.deepEqual(readdirSync(kept), [B]);
    assert.equal(await cache.restore(A, back, signal), false);
  });

  it('does not outlive the process', async (t) => {
    const { kept, made, cache } = open(t);
    writeFileSync(join(made, 'file'), 'x');
    await cache.keep(A, made, signal);
    const next = new SetupCache(kept, 1_000);
    assert.deepEqual(readdirSync(kept), []);
    assert.equal(await next.restore(A, `${made}2`, signal), false);
    assert.equal(existsSync(`${made}2`), false);
    assert.equal(statSync(kept).mode & 0o777, 0o700);
  });
});

describe('the name of a result', () => {
  const org = newId('org', rng);
  const project = newId('project', rng);
  const digest = sha256Hex(rng.bytes(8));
  const chunk = { id: digest, digest, key: 'A'.repeat(43), size: 1 };
  const file = { path: 'a', executable: false, size: 1, chunks: [chunk] };
  const base = { org, project, setup: 'make', code: { files: [file], links: [] } };
  const others: Readonly<Record<string, Parameters<typeof setupKey>[0]>> = {
    organisation: { ...base, org: newId('org', rng) },
    project: { ...base, project: newId('project', rng) },
    setup: { ...base, setup: 'make all' },
    path: { ...base, code: { files: [{ ...file, path: 'b' }], links: [] } },
    mode: { ...base, code: { files: [{ ...file, executable: true }], links: [] } },
    content: { ...base, code: { files: [{ ...file, chunks: [{ ...chunk, digest: B }] }], links: [] } },
    link: { ...base, code: { files: [file], links: [{ path: 'l', target: 'a' }] } },
  };
  for (const [name, other] of Object.entries(others))
    it(`is another with another ${name}`, () => {
      assert.notEqual(setupKey(other), setupKey(base));
      assert.equal(setupKey(structuredClone(other)), setupKey(other));
    });
});
