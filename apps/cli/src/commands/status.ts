import type { JobView, PlanAnswer } from '@ringfence/protocol/api';
import type { AttemptView } from '@ringfence/protocol/payload';
import { formatSize, isId, RingfenceError } from '@ringfence/base';
import { ClientError } from '@ringfence/client/error';
import type { Command, CommandContext } from '../command.ts';
import { showEndpoint } from '../endpoint/show-endpoint.ts';
import { viewAttempt, withAgent } from '../job/agent-client.ts';
import { attemptTable, endReason } from '../job/attempt-end.ts';
import { egressText } from '../job/egress-text.ts';
import { failureText } from '../job/failure-text.ts';
import { OVER } from '../job/follow-job.ts';
import { retryText } from '../job/retry-text.ts';
import { whichJob } from '../job/which-job.ts';
import { withSession, type Session } from '../session.ts';
import { fixUnderPool, notAwayLines } from '../pool/not-away.ts';
import { namesOfAgents } from '../placement/names-of-agents.ts';

export const command: Command = {
  usage: 'JOB|ENDPOINT',
  summary: 'an endpoint and its replicas, or one job: its attempts, what it waits for, why it failed, what it made',
  options: {},
  words: [1, 1],
  async run(context, [word = '']) {
    await withSession(context, async (session) => {
      // An id is a job's, and can be looked up without the custodian.
      const { endpoints } = isId('job', word) ? { endpoints: [] } : await session.custodian.endpoints();
      const endpoint = endpoints.find(({ name }) => name === word);
      if (endpoint !== undefined) return showEndpoint(context, session, endpoint);
      const names = endpoints.map(({ name }) => name);
      const job = await whichJob(session, word, names);
      const [view, own] = await Promise.all([session.controlPlane.job(job), atCustodian(context, session, job)]);
      const [attempt, nameOf] = await Promise.all([lastAttempt(context, session, view), namesOfAgents(session)]);
      context.terminal.value({
        ...view,
        name: own?.row.name ?? null,
        committed: own?.row.committed ?? null,
        outputs: own?.outputs ?? [],
        missingSecrets: own?.missingSecrets ?? [],
        refusedGrant: own?.refusedGrant ?? null,
        lastAttempt: attempt ?? null,
      });
      context.terminal.line(`${own?.row.name ?? 'a job'} (${job}): ${view.state}, label ${view.sensitivity}`);
      if (own === undefined && ['submitted', 'queued', 'leased', 'starting'].includes(view.state))
        context.terminal.line('  waits: the custodian cannot be reached, and nothing begins without its grant');
      const notAway = await notAwayNow(session, view);
      for (const { constraint, count } of view.waitingFor)
        context.terminal.line(
          `  waits: ${count} ${count === 1 ? 'offer refuses' : 'offers refuse'} it for ${constraint}: ${fixUnderPool(constraint, notAway)}`,
        );
      for (const line of notAwayLines(notAway)) context.terminal.line(`  ${line}`);
      if (view.retry !== null) context.terminal.line(`  ${retryText(view.retry, context.clock.now())}`);
      const last = view.attempts.at(-1);
      if (last !== undefined) context.terminal.line(attemptTable(view.attempts, nameOf));
      const reason = last === undefined ? undefined : endReason(last, own?.refusedGrant, OVER.includes(view.state));
      if (reason !== undefined) context.terminal.line(`${reason.what}\n  next: ${reason.next}`);
      if (own?.missingSecrets !== undefined)
        context.terminal.line(
          `not granted: these secrets are missing or not for this job: ${own.missingSecrets.join(', ')}`,
        );
      if (attempt?.failure && attempt.outcome !== 'stopped' && reason === undefined)
        context.terminal.line(`failure: ${failureText(attempt.failure)}`);
      if (attempt?.logDropped !== undefined)
        context.terminal.line(`log: its server dropped it for newer ones, ${formatSize(attempt.logDropped)}`);
      if (attempt?.egress !== undefined) context.terminal.line(egressText(attempt.egress));
      for (const { name, version } of own?.outputs ?? []) context.terminal.line(`artifact ${name} version ${version}`);
    });
  },
};

/** Why the pool keeps a job at home that waits for another tier; undefined where no pool has a say. */
async function notAwayNow(
  { controlPlane }: Session,
  { job, state, waitingFor }: JobView,
): Promise<PlanAnswer['notAway']> {
  const byTier = state === 'queued' && waitingFor.some(({ constraint }) => constraint === 'tier');
  return byTier ? (await controlPlane.why(job)).notAway : undefined;
}

const AWAY: readonly string[] = [
  'peer-offline',
  'peer-silent',
  'peer-busy',
  'unreachable',
  'timed-out',
  'link-broken',
  'relay-refused',
];

/** What the custodian knows of the job; undefined, and a note, when it cannot be reached: the control plane's half is told all the same. */
async function atCustodian(
  context: CommandContext,
  { custodian }: Session,
  job: JobView['job'],
): Promise<Awaited<ReturnType<Session['custodian']['job']>> | undefined> {
  try {
    return await custodian.job(job);
  } catch (error) {
    // One that is not who it has to be, or answers nonsense, is no absence.
    if (!(error instanceof ClientError) || !AWAY.includes(error.code)) throw error;
    context.terminal.note(`the custodian cannot be asked: ${error.message}`);
    return undefined;
  }
}

async function lastAttempt(context: CommandContext, session: Session, view: JobView): Promise<AttemptView | undefined> {
  const last = view.attempts.at(-1);
  if (last === undefined) return undefined;
  try {
    return await withAgent(context, session, last.agent, (link) => viewAttempt(link, view.job, last.attempt));
  } catch (error) {
    if (!(error instanceof RingfenceError)) throw error;
    context.terminal.note(`the agent cannot be asked: ${error.message}`);
    return undefined;
  }
}
