import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startControlPlaneApart, type ControlPlaneApart } from './control-plane/control-plane-apart.ts';
import { enrolOrganisation, type Organisation } from './control-plane/organisation.ts';
import { cpuSeconds, treeCpuSeconds } from './control-plane/process-cost.ts';
import { diskFdatasyncPerS, diskRow, durableGoal } from './disk.ts';
import { percentile } from './measure.ts';
import type { Answer, Ask } from './queue/cohort.ts';
import { CLASSES, COHORTS, QUEUES_OF_COHORT, UNITS_OF_QUEUE, WORKLOADS, workloadsOf } from './queue/workloads.ts';
import type { Row } from './row.ts';

export const description =
  '15,000 jobs of 30 queues in 5 cohorts through control plane and PostgreSQL, as Kueue’s baseline (RINGFENCE_QUEUE_SHARE=0.1 for a tenth)';

const PROCESSES = 2;
const WITHIN_MS = 900_000;
const PEER_WALL =
  'Kueue 351 s, its own CI fails above 425 s; not like for like: its scheduler alone, without signatures and links';

/** `wall_s` and `admission_s` of each class. A cohort is an organisation, a queue's amount one of its machines, and the cohort's jobs share all six. */
export async function* run(): AsyncGenerator<Row> {
  const share = Number(process.env['RINGFENCE_QUEUE_SHARE'] ?? 1);
  const disk = await diskFdatasyncPerS();
  const root = mkdtempSync(join(tmpdir(), 'ringfence-queue-'));
  // Each party would have a disk of its own.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : root, 'ringfence-journals-'));
  const controlPlane = await startControlPlaneApart(root);
  const program = join(import.meta.dirname, 'queue/cohort.ts');
  const children = Array.from({ length: PROCESSES }, () =>
    fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
  );
  try {
    const cohorts = await enrolAll(controlPlane, folder);
    const { target } = controlPlane;
    const of = (index: number) => cohorts.filter((_cohort, at) => at % PROCESSES === index);
    await ask(children, (index) => ({ kind: 'prepare', target, folder, cohorts: of(index), share }));
    const before = costs(controlPlane);
    const from = performance.now();
    const { admissions, left, again } = await ask(children, () => ({ kind: 'run', within: WITHIN_MS }));
    const wall = (performance.now() - from) / 1_000;
    const after = costs(controlPlane);
    const workloads = COHORTS * workloadsOf(share).length;
    const params = {
      workloads,
      queues: COHORTS * QUEUES_OF_COHORT,
      cohorts: COHORTS,
      fair_share: 'none: a cohort has one queue',
      left,
      submitted_again: again,
      usage_percent: Math.round((unitSeconds(share) / (wall * COHORTS * QUEUES_OF_COHORT * UNITS_OF_QUEUE)) * 100),
      control_plane_cpu_ms_each: rounded(((after.own - before.own) / workloads) * 1e3),
      database_cpu_ms_each: rounded(((after.database - before.database) / workloads) * 1e3),
      load: Math.round(loadavg()[0] ?? 0),
    };
    const goal = share === 1 ? durableGoal({ atMost: 90 }, disk.median) : null;
    yield { name: 'wall_s', params, value: wall, unit: 's', goal, peer: PEER_WALL };
    yield* admissionRows(admissions, workloads);
    yield diskRow(disk);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await controlPlane.stop();
    for (const path of [folder, root]) rmSync(path, { recursive: true, force: true });
  }
}

/** From the order to the lease at its machine. */
function* admissionRows(admissions: Answer['admissions'], workloads: number): Generator<Row> {
  for (const name of CLASSES) {
    const times = admissions.filter(([of]) => of === name).map(([, ms]) => ms / 1_000);
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    const params = { class: name, workloads, p99_s: rounded(percentile(times, 0.99)) };
    const peer = `Kueue ${WORKLOADS[name].kueueAdmissionS} s`;
    yield { name: 'admission_s', params, value: mean, unit: 's', goal: null, peer };
  }
}

function unitSeconds(share: number): number {
  const of = (name: (typeof CLASSES)[number]) => (WORKLOADS[name].units * WORKLOADS[name].runMs) / 1_000;
  return COHORTS * workloadsOf(share).reduce((sum, workload) => sum + of(workload.class), 0);
}

async function enrolAll(controlPlane: ControlPlaneApart, folder: string): Promise<Organisation[]> {
  const cohorts: Organisation[] = [];
  for (const code of await controlPlane.codes(COHORTS)) {
    const members = { devices: 1, agents: QUEUES_OF_COHORT, folder, keepJournal: true };
    cohorts.push(await enrolOrganisation(controlPlane.target, code, members));
  }
  return cohorts;
}

function costs({ process: { pid }, databasePid }: ControlPlaneApart): { own: number; database: number } {
  return { own: cpuSeconds(pid), database: treeCpuSeconds(databasePid) };
}

async function ask(children: readonly ChildProcess[], askOf: (index: number) => Ask): Promise<Answer> {
  const answers = await Promise.all(children.map((child, index) => answerOf(child, askOf(index))));
  return {
    admissions: answers.flatMap(({ admissions }) => admissions),
    left: answers.reduce((sum, { left }) => sum + left, 0),
    again: answers.reduce((sum, { again }) => sum + again, 0),
  };
}

function answerOf(child: ChildProcess, question: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('a cohort’s process ended'));
    child.once('exit', gone);
    child.once('message', (answer) => {
      child.off('exit', gone);
      resolve(answer as Answer);
    });
    child.send(question);
  });
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
