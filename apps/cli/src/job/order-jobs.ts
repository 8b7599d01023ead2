import { canonicalBytes } from '@ringfence/base';
import { sealTo } from '@ringfence/crypto/seal';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import type { Session } from '../session.ts';
import { packWorkdir } from './pack-workdir.ts';
import { signJob, workloadOf, type LabelledJob } from './prepared-job.ts';

/** Packs once and seals each; the custodian gets the payload before the control plane hears that a job exists. Jobs of one file share their workdir. */
export async function orderJobs(
  context: CommandContext,
  session: Session,
  jobs: readonly [LabelledJob, ...LabelledJob[]],
): Promise<void> {
  const [keyring, code] = await Promise.all([
    checkedKeyring(context, session),
    jobs[0].agreed?.bringsCode === false ? undefined : packWorkdir(context, session, jobs[0].workdir),
  ]);
  const custodian = keyring.custodianOf(session.profile.custodian.id);
  if (custodian === undefined)
    throw new CliError('not-trusted', 'the keyring no longer names this custodian', {
      next: 'ask an officer for the new one',
    });
  for (const labelled of jobs) {
    const workload = workloadOf(context, labelled, code?.pack);
    const info = { purpose: 'workload', org: session.profile.org, job: labelled.id } as const;
    const sealed = await sealTo(custodian.seal, { info, aad: new Uint8Array() }, canonicalBytes(workload));
    const job = signJob(context, session, labelled, workload);
    const statements = { job, label: labelled.labelEnvelope, placement: labelled.placement };
    await session.custodian.deposit({ ...statements, workload: Buffer.from(sealed).toString('base64') });
    await session.controlPlane.submit(statements);
  }
}
