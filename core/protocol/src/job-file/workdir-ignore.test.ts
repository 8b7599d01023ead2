import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { workdirIgnore, type IgnoreFile } from './workdir-ignore.ts';

function left(files: readonly IgnoreFile[], ...paths: string[]): string[] {
  const leaves = workdirIgnore(files);
  assert.ok(leaves !== undefined);
  return paths.filter((path) => (path.endsWith('/') ? leaves(path.slice(0, -1), 'folder') : leaves(path, 'other')));
}

describe('ignore files', () => {
  test('state and history stay behind without being named, at any depth', () => {
    assert.deepEqual(left([], '.git/', '.git', 'a/.git', '.ringfence/', 'a/.ringfence/key', 'a/.gitx', 'git'), [
      '.git/',
      '.git',
      'a/.git',
      '.ringfence/',
      'a/.ringfence/key',
    ]);
    assert.deepEqual(left([{ path: '.gitignore', text: '!.git\n!.ringfence/\n' }], '.git/', '.ringfence/x').length, 2);
  });
  test('.ringfenceignore has the last word', () => {
    const files = [
      { path: '.ringfenceignore', text: '!made.py\nnotes.md\n' },
      { path: 'sub/.gitignore', text: 'made.py\n' },
      { path: '.gitignore', text: 'made.py\n' },
    ];
    assert.deepEqual(left(files, 'made.py', 'sub/made.py', 'notes.md', 'other.md'), ['notes.md']);
  });
  test('are case-sensitive, skip comments and a byte order mark, and take either line end', () => {
    const files = [{ path: '.gitignore', text: '\u{feff}#x\r\nReadme\r\n\r\n\\#y\r\n' }];
    assert.deepEqual(left(files, 'Readme', 'readme', '#x', '#y', 'x'), ['Readme', '#y']);
  });
  test('of a folder speak of that folder only', () => {
    const files = [{ path: 'a[1]/b c/.gitignore', text: '/top\n*.log\nx/y\n!keep.log\n' }];
    const at = 'a[1]/b c';
    assert.deepEqual(
      left(
        files,
        'top',
        'z.log',
        'a1/b c/z.log',
        `${at}/top`,
        `${at}/q/top`,
        `${at}/q/z.log`,
        `${at}/keep.log`,
        `${at}/x/y`,
      ),
      [`${at}/top`, `${at}/q/z.log`, `${at}/x/y`],
    );
  });
});

const git = spawnSync('git', ['--version']).status === 0;

test('agrees with git on random trees and rules', { skip: git ? false : 'git is not installed' }, () => {
  const root = mkdtempSync(join(tmpdir(), 'rf-ignore-'));
  const paths = ['a', 'b', 'c.log', 'd'].flatMap((one) => [
    `${one}`,
    `x/${one}`,
    `x/y/${one}`,
    `x/y/z w/${one}`,
    `y/${one}`,
  ]);
  const piece = fc.constantFrom('a', 'b', '*.log', 'x', 'y', 'z w', '**', '*', '?', '[a-b]', 'c*', 'y*');
  const pattern = fc
    .tuple(
      fc.constantFrom('', '', '!', '/'),
      fc.array(piece, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('', '', '/', ' '),
    )
    .map(([start, middle, end]) => `${start}${middle.join('/')}${end}`);
  const rules = fc.array(pattern, { maxLength: 4 }).map((lines) => `${lines.join('\n')}\n`);
  const tree = fc.record({ '.gitignore': rules, 'x/.gitignore': rules, 'x/y/.gitignore': rules });
  let ignored = 0;
  try {
    assert.equal(spawnSync('git', ['init', '-q', root]).status, 0);
    for (const path of paths) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), '');
    }
    fc.assert(
      fc.property(tree, (texts) => {
        const files = Object.entries(texts).map(([path, text]) => ({ path, text }));
        for (const { path, text } of files) writeFileSync(join(root, path), text);
        const answer = spawnSync('git', ['-C', root, 'check-ignore', '--no-index', '-z', '--stdin'], {
          input: paths.join('\0'),
          env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
        });
        const expected = answer.stdout.toString().split('\0').filter(Boolean);
        ignored += expected.length;
        assert.deepEqual(left(files, ...paths), expected);
      }),
      { numRuns: 250, seed: 3 },
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  assert.ok(ignored > 250);
});
