// What must hold once the house has recovered: nothing acknowledged is lost, nothing happened twice, nothing is left over.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPack, readObject } from '@ringfence/client/pack';
import { readStatement } from '@ringfence/keyring';
import { readLog, withAgent } from '../../apps/cli/src/job/agent-client.ts';
import { processesOf } from '../kill/job-outcome.ts';
import { untilTaken } from '../kill/order.ts';
import type { ChaosHouse } from './chaos-house.ts';
import { LINES, type Promised } from './workload.ts';

/** Begins what the agent itself says in a log, such as that an earlier attempt's setup is used. */
const OURS = 'ringfence: ';

/** Asserts for one job: succeeded once, with its result, its whole log, and every line that a follower was shown. */
export async function assertKept(chaos: ChaosHouse, job: Promised): Promise<void> {
  const { session } = chaos;
  const view = await untilTaken(() => session.controlPlane.job(job.job));
  const attempts = JSON.stringify(view.attempts.map(({ attempt, state, outcome }) => ({ attempt, state, outcome })));
  assert.equal(view.state, 'succeeded', `${job.job} is ${view.state}: ${attempts}`);
  const { row, commit, outputs } = await untilTaken(() => session.custodian.job(job.job));
  assert.ok(row.committed && commit !== null, `${job.job}: the custodian has the commit`);
  assert.deepEqual(
    outputs.map(({ name, version }) => ({ name, version })),
    [{ name: job.artifact, version: 1 }],
    `${job.job}: one version of its output`,
  );
  assert.equal(await resultOf(chaos, job), `${job.marker}\n`, `${job.job}: its result`);
  const { attempt: committed } = readStatement('commit', commit).claimed;
  const logs = new Map<number, string[]>();
  for (const { attempt, lines } of [...job.shown, { attempt: committed, lines: [] }]) {
    // Nothing was promised of an attempt whose follower saw nothing.
    if (attempt !== committed && lines.length === 0) continue;
    const log =
      logs.get(attempt) ??
      (await logOf(
        chaos,
        job,
        view.attempts.find((one) => one.attempt === attempt),
      ));
    logs.set(attempt, log);
    assert.deepEqual(log.slice(0, lines.length), lines, `${job.job} attempt ${attempt}: lines that were shown`);
  }
  const wanted = Array.from({ length: LINES }, (_, at) => `line-${at + 1}`);
  assert.deepEqual(
    logs.get(committed)?.filter((line) => !line.startsWith(OURS)),
    wanted,
    `${job.job}: the log of attempt ${committed}, which counts; ${attempts}`,
  );
  assert.deepEqual(processesOf(job), [], `${job.job}: nothing of it runs`);
}

async function resultOf({ session: { custodian, profile } }: ChaosHouse, job: Promised): Promise<string> {
  const found = await untilTaken(() => custodian.openArtifact(job.artifact));
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-chaos-result-'));
  try {
    const fetch = async (digest: Parameters<typeof custodian.object>[0]) =>
      readObject(await untilTaken(() => custodian.object(digest)));
    await openPack({ org: profile.org, project: found.project, pack: found.pack, folder, fetch });
    return readFileSync(join(folder, 'result'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function logOf(
  { context, session }: ChaosHouse,
  { job }: Promised,
  found: { agent: Parameters<typeof withAgent>[2]; attempt: number } | undefined,
): Promise<string[]> {
  assert.ok(found !== undefined, `${job}: the attempt is known`);
  return untilTaken(() =>
    withAgent(context, session, found.agent, async (link) => {
      const lines: string[] = [];
      for await (const line of readLog(link, { job, attempt: found.attempt, from: 0, follow: false }))
        if (line.kind === 'line') lines.push(line.text);
      return lines;
    }),
  );
}
