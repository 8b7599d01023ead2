import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { checkContract } from '@ringfence/keyring';
import { SampleContract } from '@ringfence/keyring/samples';
import type { AttemptWork } from '../../attempt/attempt-work.ts';
import { openOrganisation } from '../../attempt/organisation.fixture.ts';
import { AttemptEnd } from '../../attempt/step-error.ts';
import type { Running, SandboxExit, SandboxSpec } from '../../sandbox/index.ts';
import { PLAIN } from '../federation.fixture.ts';
import { termsOf } from '../round/federation-terms.ts';
import { openClientFederation } from './client-attempt.ts';

/** A client whose aggregator never answers, and a job that ends when it is told to. */
async function open(t: TestContext) {
  const { context } = await openOrganisation(t);
  const sample = new SampleContract('attempt', { terms: PLAIN });
  const { keyring, now } = sample.host.organisation;
  const held = checkContract(sample.file(), { keyring, now });
  assert.ok(held.allow);
  const folder = mkdtempSync(join(tmpdir(), 'client-attempt-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const lines: string[] = [];
  const work = {
    id: { job: newId('job', rng), attempt: 1 },
    folder,
    cancelling: new AbortController(),
    log: { write: (_: string, bytes: Uint8Array) => lines.push(Buffer.from(bytes).toString()) },
    failure: undefined,
  } as unknown as AttemptWork;
  const spec = {
    level: 'sandbox',
    slot: 0,
    mounts: [{ hostPath: join(folder, 'out-0'), sandboxPath: '/out', mode: 'rw' }],
    env: {},
  } as unknown as SandboxSpec;
  const granted = { terms: termsOf(held), role: 'client', member: 0 } as const;
  const laidOut = { outputs: [{ hostPath: join(folder, 'out-0') }] } as unknown as Parameters<
    typeof openClientFederation
  >[2]['laidOut'];
  const federation = await openClientFederation(context, work, { spec, granted, laidOut });
  let end: (exit: SandboxExit) => void = () => {};
  const exited = new Promise<SandboxExit>((resolve) => (end = resolve));
  const exit = (ended: SandboxExit['ended'], code: number | null): SandboxExit => ({
    ended,
    code,
    signal: null,
    oom: null,
    peakMemoryBytes: null,
    cpuMs: null,
    wallMs: 1,
  });
  const running = federation.join({
    exited,
    stop: () => {
      end(exit('stopped', null));
      return exited;
    },
  } as unknown as Running);
  return { federation, work, lines, running, ends: (code: number) => end(exit('exited', code)), folder };
}

test('a job finds its socket and the trainer, no folder of an output, and both are gone when it has ended', async (t) => {
  const { federation, running, ends, folder } = await open(t);
  assert.equal(federation.spec.env['RINGFENCE_FEDERATION'], '/opt/ringfence/federation/federation.sock');
  assert.deepEqual(
    federation.spec.mounts.map(({ sandboxPath, mode }) => [sandboxPath, mode]),
    [
      ['/opt/ringfence/federation', 'ro'],
      ['/opt/ringfence/trainer', 'ro'],
    ],
  );
  assert.ok(existsSync(join(folder, 'federation', 'federation.sock')));
  ends(3);
  assert.equal((await running.exited).code, 3);
  assert.ok(!existsSync(join(folder, 'federation', 'federation.sock')));
});

test('a job that ends well while rounds are still to come has failed, and the log says so', async (t) => {
  const { running, ends, work, lines } = await open(t);
  ends(0);
  await assert.rejects(running.exited, (error: unknown) => {
    assert.ok(error instanceof AttemptEnd);
    assert.deepEqual([error.outcome, error.reasons], ['failed', ['federation-job-ended-early']]);
    return true;
  });
  assert.equal(work.failure?.class, 'user-code');
  assert.deepEqual(lines, ['ringfence: the job ended before the last round\n']);
});

test('an attempt that is stopped leaves the federation with its job', async (t) => {
  const { running } = await open(t);
  assert.equal((await running.stop(1_000)).ended, 'stopped');
});
