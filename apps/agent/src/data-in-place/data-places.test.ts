import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { epochMs, newId, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { sha256Hex } from '@ringfence/crypto/sign';
import { rootsRefusal } from './data-folder.ts';
import { DataPlaces } from './data-places.ts';

/** Far enough ahead that files written just now count as settled. */
const clock = { ...systemClock, now: () => epochMs(systemClock.now() + 60_000) };
const { signal } = new AbortController();
const [ORG, OTHER] = [newId('org', systemRng), newId('org', systemRng)];

function open(t: TestContext, { forStrangers = false } = {}) {
  const top = mkdtempSync(join(tmpdir(), 'ringfence-data-'));
  t.after(() => rmSync(top, { recursive: true, force: true }));
  const data = join(top, 'root', 'data');
  mkdirSync(join(data, 'a'), { recursive: true });
  writeFileSync(join(data, 'a', 'one'), 'one');
  writeFileSync(join(data, 'two'), 'two');
  const roots = [{ org: undefined, path: join(top, 'root') }];
  const places = new DataPlaces(join(top, 'index'), { roots, forStrangers, clock });
  const look = (path = data, by = signal) => places.index(path, { org: ORG, signal: by });
  return { top, data, look };
}

describe('data in place', () => {
  it('is shown to the organisation that its root was listed for, and to no other', async (t) => {
    const { top, data } = open(t);
    mkdirSync(join(top, 'theirs', 'rows'), { recursive: true });
    const roots = [
      { org: ORG, path: join(top, 'root') },
      { org: OTHER, path: join(top, 'theirs') },
    ];
    const places = new DataPlaces(join(top, 'index'), { roots, forStrangers: false, clock });
    const look = (path: string, org: typeof ORG) => places.index(path, { org, signal });
    assert.equal((await look(data, ORG)).files, 2);
    assert.equal((await look(join(top, 'theirs', 'rows'), OTHER)).files, 0);
    for (const [path, org] of [
      [data, OTHER],
      [join(top, 'theirs', 'rows'), ORG],
      [join(data, 'none'), OTHER],
    ] as const)
      await assert.rejects(look(path, org), { code: 'not-below-root' });
    const bare = { org: undefined, path: join(top, 'root') };
    assert.equal(rootsRefusal([bare], [ORG]), undefined);
    assert.equal(rootsRefusal(roots, [ORG, OTHER]), undefined);
    assert.equal(rootsRefusal([bare], [ORG, OTHER])?.code, 'bad-config', 'for which of the two?');
    assert.equal(rootsRefusal(roots, [ORG])?.code, 'bad-config', 'one was not joined');
  });

  it('has the digest that the documentation says', async (t) => {
    const { data, look } = open(t);
    symlinkSync('a/one', join(data, 'link'));
    const found = await look();
    const entries = [
      `{"kind":"file","path":"a/one","sha256":"${sha256Hex(Buffer.from('one'))}","size":3}`,
      '{"kind":"link","path":"link","target":"a/one"}',
      `{"kind":"file","path":"two","sha256":"${sha256Hex(Buffer.from('two'))}","size":3}`,
    ];
    const text = `ringfence-data-manifest/1\n${entries.map((line) => `${line}\n`).join('')}`;
    assert.deepEqual([found.manifest, found.files, found.bytes], [sha256Hex(Buffer.from(text)), 2, 6]);
  });

  it('is found changed though size and time of modification are as before', async (t) => {
    const { data, look } = open(t);
    utimesSync(join(data, 'two'), 1_000, 1_000);
    const before = await look();
    assert.equal((await look()).manifest, before.manifest);
    writeFileSync(join(data, 'two'), 'TWO');
    utimesSync(join(data, 'two'), 1_000, 1_000);
    assert.notEqual((await look()).manifest, before.manifest);
  });

  it('is not taken with what leads out of it, or is no file', async (t) => {
    const { top, data, look } = open(t);
    for (const target of ['/etc/passwd', '../../outside', 'a/../../x']) {
      symlinkSync(target, join(data, 'link'));
      await assert.rejects(look(), { code: 'link-outside' }, target);
      rmSync(join(data, 'link'));
    }
    spawnSync('mkfifo', [join(data, 'pipe')]);
    await assert.rejects(look(), { code: 'special-file' });
    rmSync(join(data, 'pipe'));
    symlinkSync(tmpdir(), join(top, 'root', 'way-out'));
    for (const path of ['/etc', join(top, 'root', 'way-out'), top, '/no/such/folder'])
      await assert.rejects(look(path), { code: 'not-below-root' }, path);
    await assert.rejects(look(join(data, 'none')), { code: 'not-found' });
    await assert.rejects(look(join(data, 'two')), { code: 'not-found' });
  });

  it('has to be readable by users that own nothing, where jobs run as such', async (t) => {
    const { top, data, look } = open(t, { forStrangers: true });
    await assert.rejects(look(), { code: 'not-readable' }, 'the folder above is private');
    chmodSync(top, 0o755);
    await look();
    chmodSync(join(data, 'two'), 0o600);
    await assert.rejects(look(), { code: 'not-readable' });
  });

  it('lets whoever leaves go at once, and keeps the others in turn', async (t) => {
    const { look, data } = open(t);
    const order: string[] = [];
    const first = look().then(() => order.push('first'));
    const left = look(data, AbortSignal.abort());
    const third = look().then(() => order.push('third'));
    await assert.rejects(left, { code: 'aborted' });
    assert.deepEqual(order, []);
    await Promise.all([first, third]);
    assert.deepEqual(order, ['first', 'third']);
  });
});
