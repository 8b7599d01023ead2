// Our trainer as a process of its own, without a sandbox.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { systemClock as clock } from '@ringfence/base/platform';
import { checkContract } from '@ringfence/keyring';
import { SampleContract } from '@ringfence/keyring/samples';
import { decimalOf } from '@ringfence/protocol/federation';
import { jobConfig } from '../job-config.ts';
import { JobSocket, SOCKET_NAME } from '../job-socket/job-socket.ts';
import { firstModel, termsOf } from '../round/federation-terms.ts';
import { TRAINER_TEXT } from './generated/trainer-text.ts';

const ROWS = 200;
// One row's number is as large as a table may have: its gradient is far beyond the clipping norm.
const CSV = `radius,texture,diagnosis\n${Array.from({ length: ROWS }, (_, at) => (at % 2 === 0 ? '1,2,benign' : `${at === 7 ? '3e38' : '-1'},-2.7,malignant`)).join('\n')}\n`;
const PRIVACY = {
  grade: 'enforced',
  unit: { kind: 'record' },
  clip: decimalOf(0.3),
  noise: { multiplier: decimalOf(2), honestMin: 3, sampleRate: decimalOf(0.5) },
  budget: { epsilon: decimalOf(30), delta: decimalOf(1e-5) },
} as const;

test('where rows are hidden, a round tells the agent an exact sum and nothing else of them, and the log nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'trainer-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'rows.csv'), CSV);
  writeFileSync(join(folder, 'train.mjs'), TRAINER_TEXT);
  const sample = new SampleContract('noised trainer', { terms: { privacy: PRIVACY } });
  const { keyring, now } = sample.host.organisation;
  const held = checkContract(sample.file(), { keyring, now });
  assert.ok(held.allow, JSON.stringify(held));
  const terms = termsOf(held);
  const { parameters } = terms;
  const socket = new JobSocket({ rounds: 1, parameters, clock });
  await socket.listenIn(join(folder, 'federation'), null);
  t.after(() => socket.close());
  const trainer = spawn(process.execPath, [join(folder, 'train.mjs'), folder], {
    env: { RINGFENCE_FEDERATION: join(folder, 'federation', SOCKET_NAME) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told = Promise.all([text(trainer.stdout), text(trainer.stderr), once(trainer, 'exit')]);
  const never = new AbortController().signal;
  const shown = { round: 1, task: 'train', model: firstModel(terms), config: jobConfig(terms) } as const;
  const update = await Promise.race([socket.show(shown, never), told]);
  assert.ok(update !== undefined && 'metrics' in update, JSON.stringify(update));
  assert.deepEqual([update.examples, update.metrics], [ROWS, {}]);
  assert.ok(update.values instanceof Float64Array);
  // Whole steps of a grid near 2^−30 of the norm, of which float32 has room for few.
  const steps = [...update.values].map((value) => value * 2 ** 32);
  assert.ok(steps.every(Number.isSafeInteger) && steps.some((count) => Math.fround(count) !== count));
  socket.finish();
  const [stdout, stderr, [code]] = await told;
  assert.deepEqual([stdout, stderr, code], ['round 1\n', '', 0]);
});
