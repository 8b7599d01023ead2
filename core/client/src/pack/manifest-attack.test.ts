import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { describe, test } from 'node:test';
import { canonicalBytes, newId, systemRng, toBase64Url } from '@ringfence/base';
import { DataKey, sealObjectBytes, type Digest } from '@ringfence/crypto/seal';
import type { PackManifest, PackReference } from '@ringfence/protocol/payload';
import fc from 'fast-check';
import { ClientError } from '../error.ts';
import { openPack, readManifest } from './open-pack.ts';
import { manifestProblem } from './pack-rules.ts';
import { PackStore } from './pack-store.fixture.ts';
import { MANIFEST_OBJECT } from './seal-pack.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

const org = newId('org', systemRng);
const project = newId('project', systemRng);
const digest = 'ab'.repeat(32) as Digest;

function sealed(store: PackStore, manifest: Uint8Array): PackReference {
  const dataKey = DataKey.generate(systemRng);
  const identity = { org, project, object: MANIFEST_OBJECT, version: 1 };
  const { bytes } = sealObjectBytes({ dataKey, identity, rng: systemRng }, manifest);
  return { manifest: store.put(bytes), key: toBase64Url(dataKey.expose()) };
}

async function read(manifest: unknown): Promise<PackManifest> {
  const store = new PackStore();
  const bytes = manifest instanceof Uint8Array ? manifest : canonicalBytes(manifest);
  return readManifest({ pack: sealed(store, bytes), org, project, fetch: store.fetch });
}

const file = (path: string) => ({ path, executable: false, size: 0, chunks: [] });
const manifest = (files: string[], links: [string, string][] = []) => ({
  v: 1,
  files: files.map(file),
  links: links.map(([path, target]) => ({ path, target })),
});
const badPack = (error: unknown): boolean => error instanceof ClientError && error.code === 'bad-pack';

describe('a manifest is refused', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['for a path that climbs', manifest(['../a'])],
    ['for a path that climbs inside', manifest(['a/../../b'])],
    ['for an absolute path', manifest(['/etc/passwd'])],
    ['for an empty step', manifest(['a//b'])],
    ['for a dot', manifest(['./a'])],
    ['for a back-slash', manifest(['a\\b'])],
    ['for a NUL', manifest(['a\0b'])],
    ['for two files of one path', manifest(['a', 'a'])],
    ['for a file and a link of one path', manifest(['a'], [['a', 'b']])],
    ['for a file below a file', manifest(['a', 'a/b'])],
    ['for a file below a link', manifest(['a/b/c'], [['a', 'x']])],
    [
      'for a link below a link',
      manifest(
        [],
        [
          ['a', 'x'],
          ['a/b', 'y'],
        ],
      ),
    ],
    ['for a link out', manifest([], [['a', '../x']])],
    ['for a link to the root', manifest([], [['a', '/']])],
    [
      'for a link that climbs through another',
      manifest(
        [],
        [
          ['x/y/z', '../../q'],
          ['evil', 'x/y/z/../../..'],
        ],
      ),
    ],
    ['for a file longer than its chunks', { v: 1, files: [{ ...file('a'), size: 5 }], links: [] }],
    [
      'for a file shorter than its chunks',
      {
        v: 1,
        files: [{ ...file('a'), size: 1, chunks: [{ id: digest, digest, key: 'A'.repeat(43), size: 2 }] }],
        links: [],
      },
    ],
    [
      'for a chunk above 1 MiB',
      {
        v: 1,
        files: [{ ...file('a'), size: 2e6, chunks: [{ id: digest, digest, key: 'A'.repeat(43), size: 2e6 }] }],
        links: [],
      },
    ],
    ['of another version', { ...manifest(['a']), v: 2 }],
    ['with more members', { ...manifest(['a']), more: 1 }],
    ['that is no JSON', Buffer.from('{"v":1')],
    ['that is no UTF-8', Buffer.from([0xff, 0xfe])],
  ];
  for (const [name, value] of cases) test(name, async () => assert.rejects(read(value), badPack));
});

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const step = fc.constantFrom('a', 'b', 'c', '..', '.', '', 'ä', 'a\\', '\0');
const path = fc.array(step, { minLength: 1, maxLength: 5 }).map((steps) => steps.join('/'));
const plain = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }).map((steps) => steps.join('/'));

test(`no manifest that passes names a place outside, twice, or below another (${CASES} cases, seed ${seed})`, () => {
  let passed = 0;
  const anyPath = fc.oneof({ weight: 4, arbitrary: plain }, path);
  const links = fc.array(fc.record({ path: plain, target: path }), { maxLength: 2 });
  fc.assert(
    fc.property(fc.array(anyPath, { maxLength: 3 }), links, (files, some) => {
      const made = { v: 1 as const, files: files.map(file), links: some };
      if (files.some((one) => one.split('/').some((part) => ['', '.', '..', 'a\\', '\0'].includes(part)))) return;
      if (manifestProblem(made) !== undefined) return;
      passed += 1;
      const all = [...files, ...some.map((link) => link.path)];
      assert.equal(new Set(all).size, all.length);
      for (const one of all) for (const other of all) assert.ok(one === other || !other.startsWith(`${one}/`));
      const targets = new Map(some.map((link) => [link.path, link.target]));
      for (const link of some) assert.ok(staysByKernel(link, targets), JSON.stringify(some));
    }),
    { numRuns: CASES, seed },
  );
  assert.ok(passed > CASES / 10, String(passed));
});

/** path_resolution(7) written again: expands one link at a time and looks at where the way has climbed to. */
function staysByKernel(
  { path: from, target }: { path: string; target: string },
  targets: ReadonlyMap<string, string>,
): boolean {
  let rest = [...from.split('/').slice(0, -1), ...target.split('/')];
  if (target.startsWith('/')) return false;
  let at: string[] = [];
  for (let steps = 0; rest.length > 0; steps += 1) {
    if (steps > 10_000) return false;
    const [next = '', ...others] = rest;
    rest = others;
    if (next === '' || next === '.') continue;
    if (next === '..' && at.length === 0) return false;
    at = next === '..' ? at.slice(0, -1) : [...at, next];
    const onward = next === '..' ? undefined : targets.get(at.join('/'));
    if (onward === undefined) continue;
    if (onward.startsWith('/')) return false;
    at = at.slice(0, -1);
    rest = [...onward.split('/'), ...rest];
  }
  return true;
}

test(`bytes that are no manifest are refused as such (${CASES / 20} cases, seed ${seed})`, async () => {
  const good = canonicalBytes(manifest(['a', 'b/c'], [['l', 'a']]));
  const edits = fc.array(fc.record({ at: fc.nat({ max: good.length - 1 }), to: fc.nat({ max: 255 }) }), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(edits, async (list) => {
      const bytes = Buffer.from(good);
      for (const { at, to } of list) bytes[at] = to;
      try {
        assert.equal(manifestProblem(await read(Uint8Array.from(bytes))), undefined);
      } catch (error) {
        assert.ok(badPack(error), String(error));
      }
    }),
    { numRuns: CASES / 20, seed },
  );
});

test('links that pass lead nowhere outside on a real disk, however they are chained (property)', async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'ringfence-links-')));
  try {
    let laid = 0;
    let number = 0;
    const links = fc.array(fc.record({ path: plain, target: path }), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(links, async (some) => {
        const made: PackManifest = { v: 1, files: [file('a0'), file('q/r/s')], links: some };
        if (manifestProblem(made) !== undefined) return;
        laid += 1;
        const store = new PackStore();
        const folder = join(root, String((number += 1)), 'in', 'side');
        mkdirSync(folder, { recursive: true });
        await openPack({ pack: sealed(store, canonicalBytes(made)), org, project, fetch: store.fetch, folder });
        for (const link of some) {
          const real = realIfAny(join(folder, link.path));
          const inside = real === folder || real?.startsWith(folder + sep) === true;
          assert.ok(real === undefined || inside, JSON.stringify(some));
        }
        rmSync(join(root, String(number)), { recursive: true });
      }),
      { numRuns: 400, seed },
    );
    assert.ok(laid > 50, String(laid));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

/** Where a path leads; undefined for links to nothing and for loops. */
function realIfAny(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
