// Both SDKs take part in rounds at the agent's own socket: what they pull is the model, and what they push is the difference to it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '@ringfence/base/platform';
import { JobSocket, SOCKET_NAME } from '../apps/agent/src/federation/job-socket/job-socket.ts';
import type { JobUpdate } from '../apps/agent/src/federation/job-socket/read-update.ts';
import { need } from '../scripts/needs.ts';

const MODEL = new Float32Array([0.5, -1, 2, 8]);
/** Debian's, which its python3-sklearn is for. */
const WITH_NUMPY = '/usr/bin/python3';
const never = new AbortController().signal;

interface Ran {
  readonly code: number | null;
  readonly said: string;
}

/** Runs a program with the socket of a federation of two rounds; undefined for none. */
async function run(t: TestContext, [program, ...args]: readonly string[], socket: string | undefined): Promise<Ran> {
  const env = { ...process.env, PYTHONPATH: join(import.meta.dirname, 'python') };
  const child = spawn(program ?? '', args, {
    env: socket === undefined ? env : { ...env, RINGFENCE_FEDERATION: socket },
  });
  t.after(() => void child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said };
}

async function openSocket(t: TestContext): Promise<{ socket: JobSocket; path: string; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-sdk-'));
  const socket = new JobSocket({ rounds: 2, parameters: MODEL.length, clock: systemClock });
  await socket.listenIn(join(folder, 'federation'), null);
  t.after(() => {
    socket.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { socket, path: join(folder, 'federation', SOCKET_NAME), folder };
}

/** The updates of two rounds that `command` takes part in, and how it ended. */
async function takePart(t: TestContext, command: (folder: string) => readonly string[]) {
  const { socket, path, folder } = await openSocket(t);
  const ran = run(t, command(folder), path);
  const updates: JobUpdate[] = [];
  for (const round of [1, 2]) {
    const shown = { round, task: round === 1 ? 'train' : 'evaluate', model: MODEL, config: { epochs: 3 } } as const;
    const update = await Promise.race([socket.show(shown, never), ran]);
    assert.ok(update !== undefined && 'values' in update, JSON.stringify(update));
    updates.push(update);
  }
  socket.finish();
  const { code, said } = await ran;
  assert.deepEqual([code, said], [0, '']);
  return updates;
}

const EVALUATED: JobUpdate = { examples: 3, metrics: { loss: 0.5 }, values: new Float32Array() };
const learned = (...values: number[]): JobUpdate[] => [
  { examples: 7, metrics: { loss: 0.25 }, values: new Float32Array(values) },
  EVALUATED,
];

const PYTHON = `
import ringfence as rf
rf.join(LIKE)
for r in rf.rounds():
    assert (r.rounds, r.config) == (2, {"epochs": 3})
    if r.task == "evaluate":
        assert r.push(None, 3, {"loss": 0.5})
        continue
    w = r.pull()
    BODY
`;
const python = (like: string, body: string, program = 'python3'): string[] => [
  program,
  '-c',
  PYTHON.replace('LIKE', like).replace('BODY', body),
];

describe('the SDK for python in a federation', () => {
  it('pulls and pushes plain lists where there is no numpy', async (t) => {
    if (!need(t, 'python3')) return;
    const hidden = 'import sys; sys.modules["numpy"] = None\n';
    const [program, flag, code] = python(
      '',
      'assert w == [0.5, -1, 2, 8]; assert r.push([v + 1 for v in w], 7, {"loss": 0.25})',
    );
    assert.deepEqual(await takePart(t, () => [program ?? '', flag ?? '', hidden + code]), learned(1, 1, 1, 1));
  });

  it('takes a difference as it is', async (t) => {
    if (!need(t, 'python3')) return;
    const body = 'assert r.push([1, 2, 3, 4], 7, {"loss": 0.25}, delta=True)';
    assert.deepEqual(await takePart(t, () => python('', body)), learned(1, 2, 3, 4));
  });

  it('gives the model in the form of what it was joined with, by name', async (t) => {
    if (!need(t, 'python3')) return;
    const body = 'assert w == {"a": [0.5, -1, 2], "b": 8}; w["b"] = 9; assert r.push(w, 7, {"loss": 0.25})';
    assert.deepEqual(await takePart(t, () => python('{"a": [0, 0, 0], "b": 0}', body)), learned(0, 0, 0, 1));
  });

  it('gives arrays of numpy in their shapes and types', async (t) => {
    if (!need(t, 'sklearn')) return;
    const like = '[__import__("numpy").zeros((1, 3)), __import__("numpy").zeros(1, "f4")]';
    const body = `assert [v.shape for v in w] == [(1, 3), (1,)] and [str(v.dtype) for v in w] == ["float64", "float32"]
    w[0] *= 2
    assert r.push(w, 7, {"loss": 0.25})`;
    assert.deepEqual(await takePart(t, () => python(like, body, WITH_NUMPY)), learned(0.5, -1, 2, 0));
  });

  it('gives tensors as torch has them, and leaves whole numbers as they are', async (t) => {
    if (!need(t, 'python3')) return;
    // As much of a tensor as the SDK asks for: torch itself is nothing that a test can count on.
    const tensor = `
class Tensor:
    def __init__(self, values, whole=False, shape=None): self.values, self.whole, self.shape = list(values), whole, shape
    def is_floating_point(self): return not self.whole
    def numel(self): return len(self.values)
    def detach(self): return self
    def cpu(self): return self
    def tolist(self): return self.values
    def reshape(self, shape): return Tensor(self.values, self.whole, shape)
    def new_tensor(self, values): return Tensor(values, self.whole)
`;
    const [program, flag, code] = python(
      '{"w": Tensor([0, 0, 0, 0], shape=(2, 2)), "batches": Tensor([5], True)}',
      'assert (w["w"].values, w["w"].shape, w["batches"].values) == ([0.5, -1, 2, 8], (2, 2), [5]); w["w"].values[3] = 6; assert r.push(w, 7, {"loss": 0.25})',
    );
    assert.deepEqual(await takePart(t, () => [program ?? '', flag ?? '', tensor + code]), learned(0, 0, 0, -2));
  });

  it('runs a client of Flower’s kind', async (t) => {
    if (!need(t, 'sklearn')) return;
    const code = `
import numpy as np
import ringfence
class Client(ringfence.NumPyClient):
    def get_parameters(self, config): return [np.zeros((2, 2))]
    def fit(self, parameters, config): return [parameters[0] + config["epochs"]], 7, {"loss": 0.25}
    def evaluate(self, parameters, config): return 0.5, 3, {}
ringfence.start_client(client=Client().to_client())
`;
    assert.deepEqual(await takePart(t, () => [WITH_NUMPY, '-c', code]), learned(3, 3, 3, 3));
  });

  it('says what was wrong with an update, and that there is no federation elsewhere', async (t) => {
    if (!need(t, 'python3')) return;
    const body = `
    for bad, code in (([1], "bad-size"), ([1, 2, 3, float("nan")], "not-finite")):
        try:
            r.push(bad, 7)
        except rf.FederationError as error:
            assert error.code == code and len(str(error)) > 20, error
        else:
            raise SystemExit("it was taken")
    assert r.push(w, 7, {"loss": 0.25})`;
    assert.deepEqual(await takePart(t, () => python('', body.trim())), learned(0, 0, 0, 0));
    const { code, said } = await run(t, ['python3', '-c', 'import ringfence; ringfence.join()'], undefined);
    assert.equal(code, 1);
    assert.match(said, /no job of a federation/);
  });
});

describe('the SDK for typescript in a federation', () => {
  const program = (folder: string, body: string): string[] => {
    const file = join(folder, 'job.ts');
    const sdk = JSON.stringify(join(import.meta.dirname, 'typescript/ringfence.ts'));
    writeFileSync(
      file,
      `import assert from 'node:assert/strict';\nimport { join, rounds } from ${sdk};\njoin();\n${body}`,
    );
    return [process.execPath, file];
  };
  const rest = `
  else assert.ok(await round.push(null, 3, { loss: 0.5 }));
}`;

  it('pulls the model and pushes a new one', async (t) => {
    const body = `for await (const round of rounds()) {
  assert.deepEqual([round.rounds, round.config], [2, { epochs: 3 }]);
  if (round.task === 'train') assert.ok(await round.push(round.pull().map((value) => value + 1), 7, { loss: 0.25 }));${rest}`;
    assert.deepEqual(await takePart(t, (folder) => program(folder, body)), learned(1, 1, 1, 1));
  });

  it('takes a difference as it is, and refuses another size in words', async (t) => {
    const body = `for await (const round of rounds()) {
  if (round.task === 'train') {
    await assert.rejects(round.push([1], 7), { code: 'bad-size' });
    await assert.rejects(round.push([1, 2, 3, NaN], 7), { code: 'not-finite' });
    assert.ok(await round.push([1, 2, 3, 4], 7, { loss: 0.25 }, { delta: true }));
  }${rest}`;
    assert.deepEqual(await takePart(t, (folder) => program(folder, body)), learned(1, 2, 3, 4));
  });
});
