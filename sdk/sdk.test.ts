// Both SDKs write the same lines into a pipe, never wait for it, and do nothing where there is none.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { need } from '../scripts/needs.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-sdk-'));
const fifo = join(root, 'pipe');
let reader: number;

before(() => {
  execFileSync('mkfifo', [fifo]);
  reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
});

after(() => {
  closeSync(reader);
  rmSync(root, { recursive: true, force: true });
});

/** Everything that waits in the pipe. */
function waiting(): string {
  const buffer = Buffer.alloc(1_048_576);
  return buffer.toString('utf8', 0, readSync(reader, buffer));
}

interface Ran {
  readonly status: number | null;
  readonly stderr: string;
}

const LANGUAGES = {
  python: {
    run: (code: string, metrics: string | undefined): Ran => {
      const env = { ...process.env, PYTHONPATH: join(import.meta.dirname, 'python'), RINGFENCE_METRICS: metrics ?? '' };
      return spawnSync('python3', ['-c', `import ringfence\n${code}`], { encoding: 'utf8', env });
    },
    skip: (t: TestContext) => !need(t, 'python3'),
    two: 'ringfence.metric({"val/loss": 1e-7}, step=10, labels={"split": "held out"}, loss=0.25)',
    wrong: 'ringfence.metric({"9": 1}); ringfence.metric(loss="no"); ringfence.metric(loss=1, labels={"a": "\\n"})',
    flood: `import os
reading = os.open(os.environ["RINGFENCE_METRICS"], os.O_RDONLY | os.O_NONBLOCK)
for i in range(20000): ringfence.metric(loss=0.125, step=i)
taken = os.read(reading, 1 << 20).count(b"\\n")
ringfence.metric(taken=taken)
ringfence.metric(taken=taken)`,
  },
  typescript: {
    run: (code: string, metrics: string | undefined): Ran => {
      const file = join(root, 'job.ts');
      const path = join(import.meta.dirname, 'typescript/ringfence.ts');
      writeFileSync(file, `import { metric } from ${JSON.stringify(path)};\n${code}`);
      const env = { ...process.env, RINGFENCE_METRICS: metrics ?? '' };
      return spawnSync(process.execPath, [file], { encoding: 'utf8', env });
    },
    skip: () => false,
    two: 'metric({ "val/loss": 1e-7, loss: 0.25 }, { step: 10, labels: { split: "held out" } });',
    wrong:
      'metric({ "9": 1 }); metric({ loss: JSON.parse("\\"no\\"") }); metric({ loss: 1 }, { labels: { a: "\\n" } });',
    flood: `import { constants, openSync, readSync } from 'node:fs';
const reading = openSync(process.env.RINGFENCE_METRICS, constants.O_RDONLY | constants.O_NONBLOCK);
for (let step = 0; step < 20000; step += 1) metric({ loss: 0.125 }, { step });
const buffer = Buffer.alloc(1 << 20);
const taken = buffer.subarray(0, readSync(reading, buffer)).filter((byte) => byte === 10).length;
metric({ taken });
metric({ taken });`,
  },
};

for (const [name, { run, skip, two, wrong, flood }] of Object.entries(LANGUAGES))
  describe(`the SDK for ${name}`, () => {
    it('writes one line for each value', (t) => {
      if (skip(t)) return;
      const { status, stderr } = run(two, fifo);
      assert.deepEqual([status, stderr], [0, '']);
      const [first, second, ...more] = waiting().split('\n');
      assert.match(first ?? '', /^val\/loss\{split="held out"\} 1e-0?7 step=10$/);
      assert.equal(second, 'loss{split="held out"} 0.25 step=10');
      assert.deepEqual(more, ['']);
    });

    it('warns of a wrong call and writes nothing', (t) => {
      if (skip(t)) return;
      const { status, stderr } = run(wrong, fifo);
      assert.equal(status, 0);
      assert.equal(stderr.match(/ringfence: /g)?.length, 3, stderr);
      assert.equal(waiting(), '');
    });

    it('does nothing, without a word, outside Ringfence', (t) => {
      if (skip(t)) return;
      const { status, stderr } = run(two, undefined);
      assert.deepEqual([status, stderr, waiting()], [0, '', '']);
    });

    it('does not end a job whose agent is gone', (t) => {
      if (skip(t)) return;
      const { status, stderr } = run(two, join(root, 'nothing'));
      assert.equal(status, 0);
      assert.match(stderr, /metrics cannot be written/);
    });

    it('does not wait for a full pipe: it tells how many values were lost with the next that fit', (t) => {
      if (skip(t)) return;
      const { status, stderr } = run(flood, fifo);
      assert.deepEqual([status, stderr], [0, '']);
      const [lost = '', ...taken] = waiting().trim().split('\n');
      const fitted = Number(/^taken (\d+)/.exec(taken[0] ?? '')?.[1]);
      assert.ok(fitted > 1_000 && fitted < 20_000, String(fitted));
      assert.equal(lost, `!lost ${20_000 - fitted}`);
      assert.equal(taken.length, 2);
    });

    it('writes to a plain file as well, for a try at home', (t) => {
      if (skip(t)) return;
      const file = join(root, `${name}.txt`);
      writeFileSync(file, 'before\n');
      assert.equal(run(two, file).status, 0);
      assert.equal(readFileSync(file, 'utf8').split('\n').length, 4);
    });
  });
