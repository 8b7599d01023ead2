import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ManualClock, systemRng } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import { temporaryFolder } from '../cli-process.fixture.ts';
import type { CommandContext } from '../command.ts';
import type { Session } from '../session.ts';
import { labelJob, readJob } from './prepared-job.ts';

const MOUNTS = 'mounts: {/a: {dataset: rows}, /b: {dataset: Records}, /c: {dataset: images}}\n';

/** Asks for the label of a job with {@link MOUNTS} where the custodian says `refusal` and has these artifacts. */
function label(t: TestContext, refusal: ApiRefusal, names: readonly string[]): Promise<unknown> {
  const path = join(temporaryFolder(t), 'job.yaml');
  writeFileSync(path, `name: a\nrun: b\n${MOUNTS}`);
  const terminal = { note: assert.fail };
  const context = { terminal, clock: new ManualClock(), rng: systemRng } as unknown as CommandContext;
  const custodian = {
    labelAndSites: () => Promise.reject(refusal),
    artifacts: () => Promise.resolve(names.map((name) => ({ name }))),
  };
  const read = readJob(path, { leaveOut: [], terminal: context.terminal });
  return labelJob(context, { custodian } as unknown as Session, read);
}

test('a launch names every dataset that it mounts and that does not exist', async (t) => {
  const refusal = new ApiRefusal(404, 'not-found', 'a dataset that the job mounts does not exist');
  await assert.rejects(label(t, refusal, ['rows', 'records']), {
    code: 'not-found',
    message: 'the custodian has no dataset called Records, images',
    next: /^did you mean records\? .*ringfence dataset add Records .*ringfence dataset ls/,
    cause: refusal,
  });
  // Added in between: its word as it is.
  await assert.rejects(label(t, refusal, ['rows', 'Records', 'images']), refusal);
});

test('another refusal of the label stays as it is', async (t) => {
  const refusal = new ApiRefusal(409, 'no-label', 'this data cannot be used together in this way');
  await assert.rejects(label(t, refusal, []), refusal);
});
