import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { epochMs, ManualClock, newId, systemRng } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { LabelStatement, PlacementPart } from '@ringfence/protocol/statements';
import { temporaryFolder } from '../cli-process.fixture.ts';
import type { CommandContext } from '../command.ts';
import type { Session } from '../session.ts';
import { launchGang } from './launch-gang.ts';
import { labelJob, readJob } from './prepared-job.ts';

const clock = new ManualClock();
const terminal = { note: assert.fail };
const context = { terminal, clock, rng: systemRng } as unknown as CommandContext;

function jobFile(t: TestContext, text: string): string {
  const path = join(temporaryFolder(t), 'job.yaml');
  writeFileSync(path, `name: a\nrun: b\n${text}`);
  return path;
}

/** What the job's owner would sign of a job file. */
async function placementOf(t: TestContext, text: string, gang?: PlacementPart['gang']): Promise<PlacementPart> {
  const label: LabelStatement = {
    v: 1,
    org: newId('org', systemRng),
    job: newId('job', systemRng),
    custodian: newId('custodian', systemRng),
    sensitivity: 'internal',
    residency: [],
    at: clock.now(),
    notAfter: epochMs(clock.now() + 3_600_000),
  };
  const signed = signStatement('label', label, [SigningKey.generate(systemRng)]);
  const custodian = { labelAndSites: () => Promise.resolve({ label: signed, sites: undefined }) };
  const read = readJob(jobFile(t, text), { leaveOut: [], terminal });
  return (await labelJob(context, { custodian } as unknown as Session, { ...read, gang })).placement;
}

test('a job that goes on from a checkpoint after an interruption signs that it may make room, no other', async (t) => {
  const output = 'outputs: {/out: {artifact: a}}\n';
  const checkpoint = (on: string): string => `${output}retry: {on: [${on}], checkpoint: /out/ckpt}\n`;
  assert.equal((await placementOf(t, checkpoint('interruption'))).preemptible, true);
  const others = [checkpoint('error'), 'retry: {on: [interruption]}\n', output];
  for (const text of [...others, `${checkpoint('interruption')}on_partition: keep\n`])
    assert.equal((await placementOf(t, text)).preemptible, undefined, text);
});

test('the jobs of a gang sign its id and size', async (t) => {
  const gang = { id: newId('gang', systemRng), size: 2 };
  assert.deepEqual((await placementOf(t, '', gang)).gang, gang);
});

test('one job is no gang, and a service does not belong to one', async (t) => {
  const launch = (...texts: string[]): Promise<void> =>
    launchGang(
      context,
      texts.map((text) => jobFile(t, text)),
      { leaveOut: [], yes: true },
    );
  await assert.rejects(launch(''), { code: 'usage', message: /at least two/ });
  await assert.rejects(launch('', 'type: serve\nservice: {port: 8080}\n'), { code: 'usage', message: /service/ });
});
