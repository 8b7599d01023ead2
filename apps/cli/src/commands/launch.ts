import { createInterface } from 'node:readline/promises';
import { canonicalBytes } from '@ringfence/base';
import { sealTo } from '@ringfence/crypto/seal';
import type { JobId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { texts, type Command, type CommandContext } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { endText } from '../job/failure-text.ts';
import { followJob, type FollowedJob } from '../job/follow-job.ts';
import { packWorkdir } from '../job/pack-workdir.ts';
import { readJob, signJob, workloadOf, type LabelledJob } from '../job/prepared-job.ts';
import { withSession, type Session } from '../session.ts';
import { planJob, showPlan } from './plan.ts';

export const command: Command = {
  usage: '[JOB.yaml] [-y] [-d] [--leave-out KEY]',
  summary: 'plan, seal, order and follow a job (-y: no question; -d: do not follow)',
  options: {
    yes: { type: 'boolean', short: 'y' },
    detach: { type: 'boolean', short: 'd' },
    'leave-out': { type: 'string', multiple: true },
  },
  words: [0, 1],
  async run(context, [path = 'job.yaml'], flags) {
    const read = readJob(path, { leaveOut: texts(flags, 'leave-out'), terminal: context.terminal });
    await withSession(context, async (session) => {
      const { labelled, plan } = await planJob(context, session, read);
      await showPlan(context, session, labelled, plan);
      if (flags['yes'] !== true) await confirm(context);
      await order(context, session, labelled);
      context.terminal.value({ event: 'submitted', job: labelled.id });
      context.terminal.line(`Ordered  ${labelled.id}`);
      if (flags['detach'] !== true)
        await showResult(context, session, labelled.id, await followJob(context, session, labelled.id));
    });
  },
};

async function confirm({ stdin }: CommandContext): Promise<void> {
  if (!stdin.isTTY) throw new CliError('usage', 'nobody is there to say yes', { next: 'add -y' });
  const reader = createInterface({ input: stdin, output: process.stderr });
  try {
    const answer = await reader.question('Launch it? [y/N] ');
    if (!/^y(es)?$/i.test(answer.trim()))
      throw new CliError('declined', 'nothing was sent', { next: 'launch again when you are sure' });
  } finally {
    reader.close();
  }
}

/** Packs and seals; the custodian gets the payload before the control plane hears that the job exists. */
async function order(context: CommandContext, session: Session, labelled: LabelledJob): Promise<void> {
  const [keyring, code] = await Promise.all([
    checkedKeyring(context, session),
    packWorkdir(context, session, labelled.workdir),
  ]);
  const custodian = keyring.custodianOf(session.profile.custodian.id);
  if (custodian === undefined)
    throw new CliError('not-trusted', 'the keyring no longer names this custodian', {
      next: 'ask an officer for the new one',
    });
  const workload = workloadOf(context, labelled, code.pack);
  const info = { purpose: 'workload', org: session.profile.org, job: labelled.id } as const;
  const sealed = await sealTo(custodian.seal, { info, aad: new Uint8Array() }, canonicalBytes(workload));
  const job = signJob(context, session, labelled, workload);
  const statements = { job, label: labelled.labelEnvelope, placement: labelled.placement };
  await session.custodian.deposit({ ...statements, workload: Buffer.from(sealed).toString('base64') });
  await session.controlPlane.submit(statements);
}

async function showResult(
  { terminal }: CommandContext,
  session: Session,
  job: JobId,
  { view, attempt }: FollowedJob,
): Promise<void> {
  const { outputs } = await session.custodian.job(job);
  terminal.value({
    event: 'result',
    job,
    state: view.state,
    attempt: view.attempts.at(-1)?.attempt ?? null,
    isolation: attempt?.isolation ?? null,
    limits: attempt?.limits ?? null,
    failure: attempt?.failure ?? null,
    outputs: outputs.map(({ name, version }) => ({ artifact: name, version })),
  });
  terminal.line(
    `Result   ${view.state}${attempt === undefined ? '' : `, isolation ${attempt.isolation}, limits by ${attempt.limits}`}`,
  );
  for (const { name, version } of outputs)
    terminal.line(`Artifact ${name} version ${version}: ringfence artifact get ${name} --out DIR`);
  if (view.state === 'succeeded') return;
  throw new CliError('job-failed', `the job ended as ${view.state}${attempt === undefined ? '' : endText(attempt)}`, {
    next: `ringfence logs ${job}`,
  });
}
