import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRng, type JobId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ControlPlaneClient } from '@ringfence/client/api';
import { startControlPlaneApart, type ControlPlaneApart } from './control-plane/control-plane-apart.ts';
import { enrolOrganisation, keyOf, type Organisation } from './control-plane/organisation.ts';
import { cpuSeconds, treeCpuSeconds } from './control-plane/process-cost.ts';
import { diskFdatasyncPerS, diskRow, durableGoal } from './disk.ts';
import { percentile } from './measure.ts';
import type { Goal, Row } from './row.ts';
import type { Answer, Ask, ClientSetup } from './submit-burst/clients.ts';

export const description =
  '1,000 signed submissions at once by 50 clients: none lost, none twice, and how long each waits';

const CLIENTS = 50;
const EACH = 20;
const JOBS = CLIENTS * EACH;
/** As many as the API lists of one organisation (500) hold two bursts of 250 submissions. */
const ORGANISATIONS = 4;
const PROCESSES = 2;
/** Of each client's jobs so many are handed in twice. */
const TWICE = 2;
const SUBMITTED = 'job-submitted';

type Bench = {
  readonly controlPlane: ControlPlaneApart;
  readonly organisations: readonly Organisation[];
  readonly children: readonly ChildProcess[];
};

/** `lost`, `duplicated`, `ack_p99_ms` and its median for all at once, the same for one at a time, with the disk's rate. */
export async function* run(): AsyncGenerator<Row> {
  const disk = await diskFdatasyncPerS();
  const root = mkdtempSync(join(tmpdir(), 'ringfence-submit-'));
  const controlPlane = await startControlPlaneApart(root);
  const program = join(import.meta.dirname, 'submit-burst/clients.ts');
  const children = Array.from({ length: PROCESSES }, () =>
    fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
  );
  try {
    const bench = { controlPlane, children, organisations: await enrolAll(controlPlane, join(root, 'journals')) };
    yield* burst(bench, { atOnce: true, name: 'ack', goal: durableGoal({ atMost: 1_500 }, disk.median) });
    yield* burst(bench, { atOnce: false, name: 'ack_in_turn', goal: null });
    yield diskRow(disk);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await controlPlane.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

async function enrolAll(controlPlane: ControlPlaneApart, folder: string): Promise<Organisation[]> {
  const codes = await controlPlane.codes(ORGANISATIONS);
  return Promise.all(
    codes.map((code, index) =>
      enrolOrganisation(controlPlane.target, code, {
        devices: Math.floor(CLIENTS / ORGANISATIONS) + (index < CLIENTS % ORGANISATIONS ? 1 : 0),
        agents: 0,
        folder,
      }),
    ),
  );
}

async function* burst(
  bench: Bench,
  { atOnce, name, goal }: { atOnce: boolean; name: string; goal: Goal | null },
): AsyncGenerator<Row> {
  const { controlPlane, children, organisations } = bench;
  const clients = organisations.flatMap(setupsOf);
  const { target } = controlPlane;
  const shared = children.map((_, index) => clients.filter((_client, at) => at % children.length === index));
  await ask(children, (index) => ({ kind: 'prepare', target, clients: shared[index] ?? [], each: EACH }));
  const before = costs(controlPlane);
  const from = performance.now();
  const { acked, refused } = await ask(children, () => ({ kind: 'burst', atOnce, twice: TWICE }));
  const wall = (performance.now() - from) / 1_000;
  const after = costs(controlPlane);
  const times = acked.map(([, ms]) => ms);
  const params = {
    clients: CLIENTS,
    jobs: JOBS,
    repeated: CLIENTS * TWICE,
    at_once: atOnce,
    per_s: Math.round(acked.length / wall),
    control_plane_cpu_ms_each: Number((((after.own - before.own) / acked.length) * 1e3).toFixed(2)),
    database_cpu_ms_each: Number((((after.database - before.database) / acked.length) * 1e3).toFixed(2)),
    load: Math.round(loadavg()[0] ?? 0),
  };
  yield { name: `${name}_p99_ms`, params, value: percentile(times, 0.99), unit: 'ms', goal, peer: null };
  yield { name: `${name}_p50_ms`, params, value: percentile(times, 0.5), unit: 'ms', goal: null, peer: null };
  const jobs = new Set(acked.map(([job]) => job));
  const { lost, duplicated } = await accounted(bench, jobs);
  const counted = { at_once: atOnce, acked: jobs.size, refused: refused.length, codes: [...new Set(refused)].join() };
  const none = { atMost: 0 };
  const missing = lost + JOBS - jobs.size;
  yield { name: `${name}_lost`, params: counted, value: missing, unit: 'jobs', goal: none, peer: null };
  yield { name: `${name}_duplicated`, params: counted, value: duplicated, unit: 'jobs', goal: none, peer: null };
}

/** What the API shows of the jobs that were acknowledged: each listed, and its submission in the ledger once. */
async function accounted(bench: Bench, jobs: ReadonlySet<JobId>): Promise<{ lost: number; duplicated: number }> {
  const found = new Map<JobId, number>();
  for (const [device] of bench.organisations.map(({ devices }) => devices)) {
    if (device === undefined) continue;
    const { url, caFile } = bench.controlPlane.target;
    const identity = { device: device.id, key: keyOf(device.seed) };
    const client = new ControlPlaneClient({ url, caFile, clock: systemClock, rng: systemRng, identity });
    for (const { job } of await client.jobs()) {
      if (!jobs.has(job)) continue;
      const submissions = (await client.events(job)).filter(({ type }) => type === SUBMITTED).length;
      found.set(job, (found.get(job) ?? 0) + submissions);
    }
    await client.close();
  }
  const lost = [...jobs].filter((job) => (found.get(job) ?? 0) === 0).length;
  const duplicated = [...found.values()].filter((times) => times > 1).length;
  return { lost, duplicated };
}

function setupsOf({ org, custodian, enrolmentSeed, devices }: Organisation): ClientSetup[] {
  return devices.map((device) => ({ org, custodian: custodian.id, enrolmentSeed, device }));
}

function costs({ process: { pid }, databasePid }: ControlPlaneApart): { own: number; database: number } {
  return { own: cpuSeconds(pid), database: treeCpuSeconds(databasePid) };
}

async function ask(children: readonly ChildProcess[], askOf: (index: number) => Ask): Promise<Answer> {
  const answers = await Promise.all(children.map((child, index) => answerOf(child, askOf(index))));
  return { acked: answers.flatMap(({ acked }) => acked), refused: answers.flatMap(({ refused }) => refused) };
}

function answerOf(child: ChildProcess, question: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('the clients’ process ended'));
    child.once('exit', gone);
    child.once('message', (answer) => {
      child.off('exit', gone);
      resolve(answer as Answer);
    });
    child.send(question);
  });
}
