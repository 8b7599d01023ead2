// Orders jobs through the CLI's own steps, timed from the API call: packing and depositing are done before.
import { canonicalBytes, systemRng, type JobId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { sealTo } from '@ringfence/crypto/seal';
import type { CommandContext } from '../../apps/cli/src/command.ts';
import { checkedKeyring } from '../../apps/cli/src/home/checked-keyring.ts';
import { followJob } from '../../apps/cli/src/job/follow-job.ts';
import { labelJob, readJob, signJob, workloadOf } from '../../apps/cli/src/job/prepared-job.ts';
import { withSession, type Session } from '../../apps/cli/src/session.ts';
import type { House } from '../../scripts/house/index.ts';

/** One job, in milliseconds since the epoch: the API call, its answer, and the moment at which the user's process says that it runs. */
export interface OrderTimes {
  readonly job: JobId;
  readonly called: number;
  readonly answered: number;
  readonly runs: number;
}

/** Orders `orders` jobs in turn, each when the one before is over. */
export function orderTimes(house: House, jobFile: string, orders: number): Promise<OrderTimes[]> {
  let heard = '';
  const context: CommandContext = {
    terminal: {
      json: false,
      watched: false,
      line: (text) => (heard += `${text}\n`),
      value: () => {},
      note: () => {},
      raw: () => {},
    },
    clock: systemClock,
    rng: systemRng,
    home: house.home,
    stdin: process.stdin,
  };
  return withSession(context, async (session) => {
    const times: OrderTimes[] = [];
    for (let count = 0; count < orders; count += 1) {
      heard = '';
      const order = await orderOne(context, session, jobFile);
      times.push({ ...order, runs: Number(/\d{13}/.exec(heard)?.[0]) });
    }
    return times;
  });
}

async function orderOne(context: CommandContext, session: Session, jobFile: string): Promise<Omit<OrderTimes, 'runs'>> {
  const labelled = await labelJob(context, session, readJob(jobFile, { leaveOut: [], terminal: context.terminal }));
  const keyring = await checkedKeyring(context, session);
  const custodian = keyring.custodianOf(session.profile.custodian.id);
  if (custodian === undefined) throw new Error('the keyring names no custodian');
  const workload = workloadOf(context, labelled, undefined);
  const info = { purpose: 'workload', org: session.profile.org, job: labelled.id } as const;
  const sealed = await sealTo(custodian.seal, { info, aad: new Uint8Array() }, canonicalBytes(workload));
  const statements = {
    job: signJob(context, session, labelled, workload),
    label: labelled.labelEnvelope,
    placement: labelled.placement,
  };
  await session.custodian.deposit({ ...statements, workload: Buffer.from(sealed).toString('base64') });
  const called = Date.now();
  await session.controlPlane.submit(statements);
  const answered = Date.now();
  const { view } = await followJob(context, session, labelled.id);
  if (view.state !== 'succeeded') throw new Error(`the job ended as ${view.state}`);
  return { job: labelled.id, called, answered };
}
