import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cpuMs } from '@ringfence/base/cpu-time';
import { parseJobFile } from './parse.ts';
import { ProblemList } from './problem-list.ts';
import { JobFileError, type Problem } from './problem.ts';
import { MAX_JOB_FILE_BYTES, readTree } from './yaml-tree.ts';

function problemsOf(text: string): readonly Problem[] {
  const problems = new ProblemList();
  const tree = readTree(text, problems);
  return problems.against(tree);
}

function codesOf(text: string): [string, number | undefined][] {
  return problemsOf(text).map(({ code, line }) => [code, line]);
}

describe('what a job file may not use of YAML', () => {
  const REFUSED: readonly [string, string, number][] = [
    ['a: 1\nb: &x 2\n', 'yaml-feature', 2],
    ['a: !!str 1\n', 'yaml-feature', 1],
    ['a: !python/object 1\n', 'yaml-feature', 1],
    ['a: ! 1\n', 'yaml-feature', 1],
    ['a: 1\n<<: {b: 2}\n', 'yaml-feature', 2],
    ['a: 1\n---\nb: 2\n', 'yaml-feature', 2],
    ['a: 1\nb: 2\na: 3\n', 'duplicate-key', 3],
    ['a: {x: 1, "x": 2}\n', 'duplicate-key', 1],
    ['a: 1\n? [b]\n: 2\n', 'wrong-shape', 2],
    ['a: 1\n: 2\n', 'wrong-shape', 2],
    ['a: "x\n', 'yaml-syntax', 2],
    ['a: b: c\n', 'yaml-syntax', 1],
    ['a: [1\n', 'yaml-syntax', 2],
    ['a: 1\nb: \u0007\n', 'yaml-syntax', 2],
    ['a: \ud800\n', 'yaml-syntax', 1],
  ];
  for (const [text, code, line] of REFUSED) {
    test(`${JSON.stringify(text)} is ${code} in line ${line}`, () => assert.deepEqual(codesOf(text), [[code, line]]));
  }
  test('a directive is refused whatever it says', () => {
    assert.deepEqual(codesOf('%YAML 1.1\n---\na: no\n')[0], ['yaml-feature', 1]);
    assert.deepEqual(codesOf('%TAG ! tag:example.org,2000:\n---\na: no\n')[0], ['yaml-feature', 1]);
  });
  test('an alias is refused with its anchor, and what it stands for is not read', () => {
    assert.deepEqual(codesOf('a: &x 1\nb: *x\n'), [
      ['yaml-feature', 1],
      ['yaml-feature', 2],
    ]);
  });
  test('signs of features inside values are ordinary text', () => {
    assert.deepEqual(codesOf('a: "*x &y !z"\nb: x*y&z!\nc: |\n  *x\n  &y\n  %YAML\n'), []);
  });
});

describe('sizes', () => {
  test('a file of 64 KiB of comments passes, one byte more does not', () => {
    const comment = `a: 1\n#${'x'.repeat(MAX_JOB_FILE_BYTES - 7)}\n`;
    assert.equal(Buffer.byteLength(comment), MAX_JOB_FILE_BYTES);
    assert.deepEqual(codesOf(comment), []);
    assert.equal(codesOf(`${comment}#`)[0]?.[0], 'too-large');
    assert.equal(codesOf('é'.repeat(MAX_JOB_FILE_BYTES / 2 + 1))[0]?.[0], 'too-large');
  });
  test('a bomb of aliases is refused without being built', () => {
    const lines = ['a0: &a0 [lol, lol]'];
    for (let step = 1; step < 30; step += 1) lines.push(`a${step}: &a${step} [${`*a${step - 1},`.repeat(9)}]`);
    const problems = problemsOf(lines.join('\n'));
    assert.ok(problems.length > 30 && problems.every(({ code }) => code === 'yaml-feature'));
    assert.ok(problems.length <= 100);
  });
  // Each of these fills the file with one construct; none may cost more than a moment or end in anything but a refusal.
  const FULL: Readonly<Record<string, string>> = {
    lists: '[',
    maps: '{a: ',
    items: '- ',
    questions: '? ',
    keys: 'a: ',
    anchors: '&a ',
    aliases: '*a ',
    tags: '!a ',
    commas: '[,',
    closers: ']',
    documents: '---\n',
    directives: '%a\n',
    dashes: '-\n',
    mixed: '- ? [',
    quotes: '"a" ',
    blocks: '|\n ',
  };
  for (const [name, unit] of Object.entries(FULL)) {
    test(`64 KiB of ${name} are refused in less than two seconds`, () => {
      const text = unit.repeat(Math.floor(MAX_JOB_FILE_BYTES / unit.length));
      const start = cpuMs();
      assert.throws(() => parseJobFile(text), JobFileError);
      assert.ok(cpuMs() - start < 2000);
    });
  }
  test('a thousand keys of one map are read in linear time, and a key of 60,000 letters is refused', () => {
    const keys = Array.from({ length: 1000 }, (_, index) => `  A${index}: ${index}`).join('\n');
    assert.equal(codesOf(`env:\n${keys}\n`).length, 0);
    assert.equal(codesOf(`${'k'.repeat(60_000)}: 1\n`)[0]?.[0], 'yaml-syntax');
  });
  test('depth ends at eight', () => {
    const nested = (depth: number): string => `${'[a, '.repeat(depth)}b${']'.repeat(depth)}`;
    assert.deepEqual(codesOf(nested(8)), []);
    assert.deepEqual(codesOf(nested(9)), [['too-deep', 1]]);
  });
});
