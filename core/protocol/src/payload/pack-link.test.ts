import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { linkStays, type LinkStep } from './pack-link.ts';

const NONE = new Map<string, LinkStep>();
const links = (...pairs: [string, string][]): Map<string, LinkStep> =>
  new Map(pairs.map(([path, linkTarget]) => [path, { kind: 'symlink', linkTarget }]));

test('a target inside stays, one outside or absolute does not', () => {
  for (const target of ['a', './a', 'b/../a', '../a', '..', 'missing/deep', '.']) {
    assert.ok(linkStays('d/l', target, NONE), target);
  }
  for (const target of [
    '',
    '/',
    '/etc/passwd',
    '../..',
    '../../x',
    'a/../../..',
    '~/x',
    'a\u0000b',
    'x'.repeat(1025),
  ]) {
    assert.ok(!linkStays('d/l', target, NONE), target);
  }
});

test('a way out over another link is seen, and so is a circle', () => {
  assert.ok(!linkStays('t', 's/..', links(['s', '.'], ['t', 's/..'])));
  assert.ok(linkStays('t', 's/../../x', links(['s', 'a/b'], ['t', 's/../../x'])));
  assert.ok(!linkStays('t', 's/../../../x', links(['s', 'a/b'], ['t', 's/../../../x'])));
  assert.ok(!linkStays('t', 's/x', links(['s', '/etc'], ['t', 's/x'])));
  assert.ok(!linkStays('a', 'b', links(['a', 'b'], ['b', 'a'])));
});

// The kernel is the oracle: random folders, files and links on a real disk.
test('agrees with the kernel on 400 random workdirs', () => {
  const outer = mkdtempSync(join(tmpdir(), 'rf-links-'));
  const step = fc.constantFrom('..', '..', '.', 'a', 'b', 'p', 'q');
  const path = fc.array(step, { minLength: 1, maxLength: 5 }).map((steps) => steps.join('/'));
  let outside = 0;
  let round = 0;
  try {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('p', 'q', 'a/r', 'a/b/s'), path), { minLength: 2, maxLength: 4 }),
        (wanted) => {
          round += 1;
          // Deep enough that no link climbs above the temporary folder.
          const root = join(outer, String(round), 'x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x');
          mkdirSync(join(root, 'a/b/c'), { recursive: true });
          mkdirSync(join(root, 'b'), { recursive: true });
          writeFileSync(join(root, 'c'), '');
          for (const [name, target] of wanted) {
            if (!exists(join(root, name))) symlinkSync(target, join(root, name));
          }
          const entries = entriesOf(root, root);
          for (const [name, entry] of entries) {
            if (entry.linkTarget === undefined) continue;
            const stays = linkStays(name, entry.linkTarget, entries);
            const real = realOf(join(root, name));
            if (real === undefined) continue;
            const reallyStays = !relative(root, real).startsWith('..');
            if (!reallyStays) outside += 1;
            // A way that leaves and comes back ends inside; it is refused all the same.
            if (!reallyStays) assert.equal(stays, false, `${name} -> ${entry.linkTarget}`);
            else if (!stays)
              assert.ok(entry.linkTarget.includes('..') || leadsOn(entries), `${name} -> ${entry.linkTarget}`);
          }
          rmSync(join(outer, String(round)), { recursive: true });
        },
      ),
      { numRuns: 400, seed: 11 },
    );
  } finally {
    rmSync(outer, { recursive: true, force: true });
  }
  assert.ok(outside > 40, `${outside} links left`);
});

function leadsOn(entries: ReadonlyMap<string, LinkStep>): boolean {
  return [...entries.values()].some(({ linkTarget }) => linkTarget?.includes('..') === true);
}

function entriesOf(root: string, folder: string): Map<string, LinkStep> {
  const found = new Map<string, LinkStep>();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) found.set(relative(root, path), { kind: 'symlink', linkTarget: readlinkSync(path) });
    else found.set(relative(root, path), { kind: entry.isDirectory() ? 'directory' : 'file' });
    if (entry.isDirectory()) for (const inner of entriesOf(root, path)) found.set(...inner);
  }
  return found;
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
