import { sleep } from '@ringfence/base';
import type { EndpointRow } from '@ringfence/protocol/payload';
import type { Service } from '@ringfence/protocol/job-file';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { orderJobs } from '../job/order-jobs.ts';
import { labelJob, type LabelledJob } from '../job/prepared-job.ts';
import { whileFollowing } from '../job/while-following.ts';
import type { Session } from '../session.ts';
import { serviceOf } from './service-of.ts';
import { addressesOf, whichEndpoint } from './which-endpoint.ts';
import { whyNotReady } from './why-not-ready.ts';

const LOOK_EVERY_MS = 250;
/** Agents are asked why a replica is not ready: not at each look. */
const EXPLAIN_EVERY = 8;

/** Orders one job for each replica that there may be, registers the endpoint, and waits until requests go to it. */
export async function launchEndpoint(
  context: CommandContext,
  session: Session,
  { labelled, service, detach }: { labelled: LabelledJob; service: Service; detach: boolean },
): Promise<void> {
  const { terminal } = context;
  const spec = serviceOf(service);
  const jobs: [LabelledJob, ...LabelledJob[]] = [labelled];
  while (jobs.length < spec.replicas.max) jobs.push(await labelJob(context, session, labelled));
  await orderJobs(context, session, jobs);
  const { name } = labelled.job;
  const ids = jobs.map(({ id }) => id);
  await session.custodian.registerEndpoint({ name, service: spec, jobs: ids });
  const { row } = await whichEndpoint(session, name);
  const revision = row.coming ?? row.revision;
  terminal.value({ event: 'submitted', endpoint: row.endpoint, name, revision, jobs: ids });
  terminal.line(`Ordered  ${name}, revision ${revision}, up to ${jobs.length} replica${jobs.length === 1 ? '' : 's'}`);
  if (detach) return;
  const goesOn = `${name} goes on: \`ringfence status ${name}\` says how it stands, \`ringfence endpoint rm ${name}\` ends it`;
  const ready = await whileFollowing(context, goesOn, () => waitUntilReady(context, session, { name, revision }));
  showReady(context, ready);
}

/** The endpoint once `revision` serves. Throws CliError `job-failed` when it was given up or overtaken. */
async function waitUntilReady(
  context: CommandContext,
  session: Session,
  { name, revision }: { name: string; revision: number },
): Promise<EndpointRow> {
  let said = '';
  for (let look = 1; ; look += 1) {
    const { row } = await whichEndpoint(session, name);
    if (row.ready && row.revision === revision) return row;
    const own = row.replicas.filter((replica) => replica.revision === revision);
    const coming = row.coming === revision || (!row.ready && row.revision === revision);
    if (!coming || own.every(({ state }) => state === 'gone')) {
      const [reason] = await whyNotReady(context, session, own);
      const why = reason?.what ?? (said === '' ? 'no replica of it became ready' : said);
      throw new CliError('job-failed', `revision ${revision} of ${name} was given up: ${why}`, {
        next: reason?.next ?? `ringfence logs ${own[0]?.job ?? name}`,
      });
    }
    if (look % EXPLAIN_EVERY === 0) said = await tellReason(context, session, own, said);
    await sleep(context.clock, LOOK_EVERY_MS);
  }
}

/** Says why nothing is ready yet, when that is another reason than the one that was `said`. */
async function tellReason(
  context: CommandContext,
  session: Session,
  replicas: EndpointRow['replicas'],
  said: string,
): Promise<string> {
  const [reason] = await whyNotReady(context, session, replicas);
  if (reason === undefined || reason.what === said) return said;
  context.terminal.note(`not ready yet: ${reason.what}\n  next: ${reason.next}`);
  return reason.what;
}

function showReady({ terminal }: CommandContext, row: EndpointRow): void {
  const addresses = addressesOf(row);
  terminal.value({ event: 'ready', endpoint: row.endpoint, name: row.name, revision: row.revision, addresses });
  terminal.line(`Ready    ${row.name}, revision ${row.revision}`);
  for (const address of addresses) terminal.line(`Address  ${address}`);
  if (row.gateways.length === 0)
    terminal.note(
      'no gateway yet: start an agent with --gateway, then `ringfence endpoint gateway add AGENT`; until then nobody can call',
    );
  // A model's server has nothing at `/`.
  const path = row.api === 'openai' ? 'v1/models' : '';
  terminal.line(`Call     ringfence endpoint call ${row.name} /${path}`);
  if (addresses[0] !== undefined) {
    terminal.line(`Or       ringfence endpoint ca > ca.pem; ringfence endpoint token mint ${row.name} NAME > token`);
    terminal.line(`         curl --cacert ca.pem -H "Authorization: Bearer $(cat token)" ${addresses[0]}${path}`);
  }
}
