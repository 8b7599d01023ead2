// One kill -9 at a named step of launch → commit, and what must hold after the process is back.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { House } from '../../scripts/house/index.ts';

/** Where to kill: a process of the house, a fault point of its role, and at which passing. */
export interface KillPoint {
  readonly process: string;
  readonly point: string;
  readonly pass: number;
}

/** What was seen of one job. */
interface JobStatus {
  readonly state: string;
  readonly committed: boolean;
  readonly outputs: readonly { readonly name: string; readonly version: number }[];
  readonly attempts: readonly { readonly attempt: number; readonly outcome: string | null }[];
}

const KILLED_WITHIN_MS = 20_000;
const OVER_WITHIN_MS = 60_000;

/** Writes the job of the kill tests: quick, with an output that says how often its process ran. */
export function writeKillJob(folder: string, name: string): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(join(folder, 'code.txt'), 'code\n');
  writeFileSync(
    file,
    `name: ${name}\nrun: echo ran > /out/result\noutputs: {/out: {artifact: ${name}}}\nretry: {on: [interruption], max: 4}\nresources: {cpus: 0.1, memory: 64MB}\n`,
  );
  return file;
}

/**
 * Arms the process, launches a job, waits for the kill, starts the process again and follows the job to its end. Asserts: the job succeeded, one
 * commit, one version of its output, and every acknowledged order is still known. Returns false when the step was not passed.
 */
export async function killOnce(house: House, kill: KillPoint, jobFile: string): Promise<boolean> {
  await house.process(kill.process).stop();
  await house.restart(kill.process, { RINGFENCE_FAULT: `${kill.point}:${kill.pass}` });
  const launched = await launch(house, jobFile);
  const killed = await endsWithin(house, kill.process, KILLED_WITHIN_MS);
  if (!killed) await house.process(kill.process).stop();
  await house.restart(kill.process, {});
  // An order that was not acknowledged may be given again; the client does what a person would do.
  const job = launched ?? (await launch(house, jobFile));
  assert.ok(job !== undefined, `${kill.process} ${kill.point}: the job cannot be ordered after the restart`);
  const status = await untilOver(house, job);
  assert.equal(
    status.state,
    'succeeded',
    `${kill.process} ${kill.point}:${kill.pass} left ${JSON.stringify(status.attempts)}`,
  );
  assert.equal(status.committed, true);
  assert.equal(status.outputs.length, 1, 'one commit, one result');
  return killed;
}

async function launch(house: House, jobFile: string): Promise<string | undefined> {
  const { code, stdout } = await house.cli(['launch', '-y', '-d', '--json', jobFile], { within: 30_000 });
  if (code !== 0) return undefined;
  const line = stdout.split('\n').find((text) => text.includes('"submitted"'));
  return line === undefined ? undefined : (JSON.parse(line) as { job: string }).job;
}

async function endsWithin(house: House, name: string, milliseconds: number): Promise<boolean> {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, milliseconds, undefined).unref());
  const exit = await Promise.race([house.process(name).exited, late]);
  return exit?.signal === 'SIGKILL';
}

async function untilOver(house: House, job: string): Promise<JobStatus> {
  const deadline = performance.now() + OVER_WITHIN_MS;
  for (;;) {
    const { code, stdout } = await house.cli(['status', job, '--json'], { within: 30_000 });
    const status: JobStatus | undefined = code === 0 ? JSON.parse(stdout) : undefined;
    if (
      status !== undefined &&
      ['succeeded', 'failed', 'cancelled'].includes(status.state) &&
      (status.state !== 'succeeded' || status.committed)
    )
      return status;
    assert.ok(performance.now() < deadline, `the job is not over: ${status?.state ?? 'unknown'}\n${logsOf(house)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function logsOf(house: House): string {
  return [...house.processes.values()]
    .map(({ name, logFile }) => `${name}: ${readFileSync(logFile, 'utf8').split('\n').slice(-4).join('\n')}`)
    .join('\n');
}
