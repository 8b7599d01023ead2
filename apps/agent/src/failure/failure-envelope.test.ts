import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBelow, seededRng } from '@ringfence/base';
import { failureEnvelope as schema } from '@ringfence/protocol/payload';
import { failureEnvelope, type FailedRun } from './failure-envelope.ts';

/** Files of the job's code. */
const OWN = ['train.py', 'model/fit.py', 'train.ts', 'a/b.ts'];

const run = (stderr: string, over: Partial<FailedRun> = {}): FailedRun => ({
  class: 'user-code',
  exitCode: 1,
  signal: null,
  peakMemoryBytes: 123_456_789,
  codeFolders: ['/work', '/var/lib/ringfence/jobs/x/work'],
  isOwnPlace: (path) => OWN.includes(path),
  stderr: stderr.split('\n'),
  ...over,
});

const PYTHON = `Traceback (most recent call last):
  File "/work/train.py", line 40, in <module>
    main()
  File "/work/model/fit.py", line 12, in main
    return frame.loc[patient]
  File "/usr/lib/python3/dist-packages/pandas/core/indexing.py", line 1073, in __getitem__
    return self._getitem_axis(maybe_callable, axis=axis)
KeyError: 'Jane Doe, 1961-04-02'`;

const NODE = `/work/train.ts:17
  throw new RangeError(\`no such row: \${name}\`);
        ^

RangeError: no such row: Jane Doe
    at rowOf (file:///work/train.ts:17:9)
    at main (file:///work/train.ts:40:3)
    at ModuleJob.run (node:internal/modules/esm/module_job:439:25)

Node.js v24.21.0`;

describe('a failure envelope', () => {
  it('names type and place of a Python failure, and no value', () => {
    assert.deepEqual(failureEnvelope(run(PYTHON)), {
      class: 'user-code',
      exception: 'KeyError',
      at: 'model/fit.py:12',
      exitCode: 1,
      peakMemoryMb: 124,
    });
  });

  it('names type and place of a Node failure, and no value', () => {
    const envelope = failureEnvelope(run(NODE));
    assert.equal(envelope.exception, 'RangeError');
    assert.equal(envelope.at, 'train.ts:17');
    assert.ok(!JSON.stringify(envelope).includes('Jane'));
  });

  it('finds the code at its place on the host too', () => {
    const line = '    at f (file:///var/lib/ringfence/jobs/x/work/a/b.ts:3:1)';
    assert.equal(failureEnvelope(run(line)).at, 'a/b.ts:3');
  });

  it('takes no type that the job made up, and no place outside its code', () => {
    const made = 'JaneDoe1961Error: x\n  File "/data/jane-doe.py", line 1961, in x';
    const { exception, at } = failureEnvelope(run(made));
    assert.deepEqual([exception, at], [undefined, undefined]);
  });

  it('takes no place that is no file of its code, however it is written', () => {
    for (const place of ['jane-doe-1961', 'model/../jane', '../../etc/passwd', 'model', '/work/hunter2'])
      assert.equal(failureEnvelope(run(`  File "${place}", line 3, in x`)).at, undefined, place);
    for (const spelt of ['train.py', './train.py', 'model/../train.py', '/work/.//./train.py'])
      assert.equal(
        failureEnvelope(run(`  File "${spelt}", line 03, in x`)).at,
        spelt.includes('..') ? undefined : 'train.py:3',
      );
  });

  it('of 100,000 hostile tails stays within its schema and 256 bytes', () => {
    const rng = seededRng('envelope');
    const parts = [
      'File "',
      '/work/',
      '", line ',
      '123',
      'KeyError: ',
      ':',
      '\u0000',
      '"',
      'a'.repeat(130),
      '    at ',
      'é',
      '../',
      '\n',
      ':7:7)',
      '(',
    ];
    for (let round = 0; round < 100_000; round += 1) {
      const text = Array.from({ length: 8 }, () => parts[randomBelow(rng, parts.length)]).join('');
      const envelope = failureEnvelope(
        run(text, { isOwnPlace: () => true, exitCode: round - 50, signal: round % 3 === 0 ? 'SIGKILL' : null }),
      );
      assert.ok(schema.safeParse(envelope).success, JSON.stringify(envelope));
      assert.ok(JSON.stringify(envelope).length <= 256);
    }
  });
});
