// Orders jobs through the CLI's own steps; an order that a death cut off is repeated word for word until it is taken.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalBytes, type JobId } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import { ClientError } from '@ringfence/client/error';
import { sealTo } from '@ringfence/crypto/seal';
import { checkedKeyring } from '../../apps/cli/src/home/checked-keyring.ts';
import { packWorkdir } from '../../apps/cli/src/job/pack-workdir.ts';
import { labelJob, readJob, signJob, workloadOf } from '../../apps/cli/src/job/prepared-job.ts';
import type { ArmedHouse } from './armed-house.ts';

const TAKEN_WITHIN_MS = 60_000;
const AGAIN_AFTER_MS = 100;

/** A job of these tests. */
export interface Ordered {
  readonly job: JobId;
  readonly artifact: string;
  /** Stands in the environment of everything that the job starts. */
  readonly marker: string;
}

/** What a job does, and when it is tried again. */
export interface Wish {
  readonly run?: string;
  readonly retry?: string;
}

/** Orders one job and resolves when custodian and control plane have both taken it. */
export async function orderJob(
  armed: Pick<ArmedHouse, 'root' | 'context' | 'session'>,
  wish: Wish = {},
): Promise<Ordered> {
  const { context, session } = armed;
  const marker = `killmark${randomBytes(8).toString('hex')}`;
  const read = readJob(writeJob(armed.root, marker, wish), { leaveOut: [], terminal: context.terminal });
  const labelled = await untilTaken(() => labelJob(context, session, read));
  const keyring = await untilTaken(() => checkedKeyring(context, session));
  const code = await untilTaken(() => packWorkdir(context, session, labelled.workdir));
  const custodian = keyring.custodianOf(session.profile.custodian.id);
  assert.ok(custodian !== undefined);
  const workload = workloadOf(context, labelled, code.pack);
  const info = { purpose: 'workload', org: session.profile.org, job: labelled.id } as const;
  const sealed = await sealTo(custodian.seal, { info, aad: new Uint8Array() }, canonicalBytes(workload));
  const job = signJob(context, session, labelled, workload);
  const statements = { job, label: labelled.labelEnvelope, placement: labelled.placement };
  await untilTaken(() =>
    session.custodian.deposit({ ...statements, workload: Buffer.from(sealed).toString('base64') }),
  );
  await untilTaken(() => session.controlPlane.submit(statements));
  return { job: labelled.id, artifact: marker, marker };
}

/** The job file: quick, with a setup and with one output that says how it ended. */
function writeJob(root: string, marker: string, { run = 'echo ran > /out/result', retry }: Wish): string {
  const folder = join(root, marker);
  mkdirSync(folder);
  writeFileSync(join(folder, 'code.txt'), `code of ${marker}\n`);
  const lines = [
    `name: ${marker}`,
    `run: "${run}"`,
    `env: {KILLMARK: ${marker}}`,
    'setup: "true"',
    `outputs: {/out: {artifact: ${marker}}}`,
    'resources: {cpus: 0.1, memory: 64MB}',
    ...(retry === 'none' ? [] : [`retry: ${retry ?? '{on: [interruption, no-capacity], max: 6}'}`]),
  ];
  const file = join(folder, 'job.yaml');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** Repeats `ask` while nobody answers, or a server says that it cannot now; any other refusal is final. */
export async function untilTaken<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + TAKEN_WITHIN_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!mayPass(error) || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
    }
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof ApiRefusal ? error.status >= 500 : error instanceof ClientError;
}
