import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { packList, type PackDecision, type WorkdirEntry } from './pack-list.ts';

const file = (path: string, size = 1): WorkdirEntry => ({ path, kind: 'file', size });
const folder = (path: string): WorkdirEntry => ({ path, kind: 'directory', size: 0 });
const link = (path: string, linkTarget: string): WorkdirEntry => ({ path, kind: 'symlink', size: 0, linkTarget });

function codes(decision: PackDecision<WorkdirEntry>): string[] {
  return decision.allow ? [] : decision.reasons.map(({ code, path }) => `${code} ${path}`.trim());
}

describe('a workdir', () => {
  test('travels as files and links in the order of bytes, without what is ignored', () => {
    const entries = [
      folder('b'),
      file('b/x', 5),
      file('a', 7),
      link('b/l', '../a'),
      file('big.log', 1e9),
      folder('.git'),
    ];
    const decision = packList(
      [...entries, file('.git/config'), file('.ringfence/agent/key'), file('.gitignore'), file('é')],
      [{ path: '.gitignore', text: '*.log\n' }],
    );
    assert.ok(decision.allow);
    assert.deepEqual(
      decision.entries.map(({ path }) => path),
      ['.gitignore', 'a', 'b/l', 'b/x', 'é'],
    );
    assert.deepEqual([decision.bytes, decision.left], [14, 4]);
  });

  test('is refused for every path and link that leaves it, all at once', () => {
    const bad = [
      '../x',
      '/etc/passwd',
      'a/../b',
      './a',
      'a//b',
      'a/',
      '',
      'a\u0000b',
      'a\nb',
      'a\\b',
      'a\ud800',
      'x/.',
    ];
    const found = codes(packList([...bad.map((path) => file(path)), link('l', '../x'), link('m', '/etc')], []));
    assert.equal(found.length, bad.length + 2);
    assert.equal(found.filter((code) => code.startsWith('unsafe-path')).length, bad.length);
    assert.ok(found.every((code) => !/\p{Cc}|\p{Surrogate}/u.test(code)));
  });

  test('is refused for devices, sockets and pipes, unless they are ignored', () => {
    const kinds = ['device', 'socket', 'fifo'] as const;
    const entries = kinds.map((kind) => ({ path: kind, kind, size: 0 }));
    assert.deepEqual(codes(packList(entries, [])), ['special-file device', 'special-file socket', 'special-file fifo']);
    assert.deepEqual(codes(packList(entries, [{ path: '.ringfenceignore', text: 'device\nsocket\nfifo\n' }])), []);
  });

  test('is refused for files behind links and for two entries of one path', () => {
    assert.deepEqual(codes(packList([link('l', 'd'), folder('d'), file('l/x'), file('d/y'), file('d/y')], [])), [
      'duplicate d/y',
      'below-link l/x',
    ]);
  });

  test('is refused above its limits, which say what to do', () => {
    const limits = { entries: 2, bytes: 10 };
    const decision = packList([file('a', 4), file('b', 4), file('c', 4)], [], limits);
    assert.deepEqual(codes(decision), ['too-many', 'too-large']);
    assert.ok(!decision.allow && decision.reasons.every(({ message }) => message.includes('.ringfenceignore')));
    assert.deepEqual(codes(packList([file('a', 5), file('b', 5), folder('c')], [], limits)), []);
    assert.deepEqual(codes(packList([file('a', Number.NaN)], [], limits)), ['too-large a']);
  });

  test('is refused when its ignore files cannot be matched in bounded time', () => {
    const wild = `${'*a'.repeat(40)}\n`;
    assert.deepEqual(codes(packList([file('a')], [{ path: '.gitignore', text: wild }])), ['ignore-file']);
    assert.deepEqual(codes(packList([file('a')], [{ path: '.gitignore', text: 'x\n'.repeat(10_001) }])), [
      'ignore-file',
    ]);
  });
});
