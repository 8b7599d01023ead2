import { sleep, type JobId } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import { ClientError } from '@ringfence/client/error';
import type { PayloadAgent } from '@ringfence/client/payload-link';
import type { JobView } from '@ringfence/protocol/api';
import type { AttemptView } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import type { Session } from '../session.ts';
import { endReason } from './attempt-end.ts';
import { logStep } from '../release/how-to-ask.ts';
import { isUnreleased } from '../release/not-released.ts';
import { retryText } from './retry-text.ts';
import { readLog, viewAttempt, withAgent } from './agent-client.ts';

const LOOK_EVERY_MS = 200;
const MOST_RETRIES = 3;
const RETRY_AFTER_MS = 1_000;
/** A minute of the server's. */
const MOST_FAILURES = 60;
/** States that a job does not leave. */
export const OVER: readonly JobView['state'][] = ['succeeded', 'failed', 'cancelled'];

/** What a followed job came to. */
export interface FollowedJob {
  readonly view: JobView;
  readonly attempt: AttemptView | undefined;
}

/** Shows the log of each attempt as it runs, until the job is over. */
export async function followJob(context: CommandContext, session: Session, job: JobId): Promise<FollowedJob> {
  let shown = 0;
  let refused = 0;
  let waiting: string | undefined;
  let retried: JobView['submittedAt'] | undefined;
  let last: AttemptView | undefined;
  for (;;) {
    const view = await patiently(context, () => session.controlPlane.job(job));
    const current = view.attempts.at(-1);
    if (current !== undefined && current.attempt > shown && started(current.state)) {
      last = await followAttempt(context, session, { job, attempt: current.attempt, agent: current.agent });
      shown = current.attempt;
      continue;
    }
    if (OVER.includes(view.state)) return { view, attempt: last };
    if (current?.refusal !== undefined && current.attempt > refused) {
      context.terminal.note(endReason(current)?.what ?? '');
      refused = current.attempt;
    }
    const reasons = view.waitingFor.map(({ constraint, count }) => `${count} × ${constraint}`).join(', ');
    if (view.state === 'queued' && view.retry === null && reasons !== waiting)
      context.terminal.note(`waiting: ${reasons === '' ? 'for a place' : reasons}`);
    waiting = reasons;
    if (view.retry !== null && view.retry.at !== retried)
      context.terminal.note(retryText(view.retry, context.clock.now()));
    retried = view.retry?.at;
    await sleep(context.clock, LOOK_EVERY_MS);
  }
}

/** A server that is being replaced answers with 5xx, or not at all, for a moment; the job does not notice, and neither does who follows it. */
async function patiently<T>({ clock, terminal }: CommandContext, ask: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask();
    } catch (error) {
      const passing = error instanceof ClientError || (error instanceof ApiRefusal && error.status >= 500);
      if (!passing || failures > MOST_FAILURES) throw error;
      if (failures === 1)
        terminal.note(`the control plane does not answer (${error.code}); the job goes on, asking again`);
      await sleep(clock, RETRY_AFTER_MS);
    }
  }
}

function started(state: JobView['attempts'][number]['state']): boolean {
  return state === 'starting' || state === 'running' || state === 'stopped';
}

type Attempt = { readonly job: JobId; readonly attempt: number; readonly agent: JobView['attempts'][number]['agent'] };

/** Shows one attempt's log to its end; a link that breaks is made again, and goes on behind the last line shown. */
async function followAttempt(
  context: CommandContext,
  session: Session,
  attempt: Attempt,
): Promise<AttemptView | undefined> {
  const shown = { bytes: 0 };
  let unreleased = false;
  for (let again = 0; ; again += 1) {
    try {
      return await withAgent(context, session, attempt.agent, (link) =>
        unreleased ? untilOver(context, link, attempt) : showLog(context, link, { attempt, shown }),
      );
    } catch (error) {
      if (!unreleased && isUnreleased(error) && error instanceof CliError) {
        unreleased = true;
        context.terminal.note(`its log is not shown: ${error.message}; ${logStep(attempt)}`);
        continue;
      }
      // The job goes on without somebody to watch it; its state still comes from the control plane.
      if (!(error instanceof ClientError) && !(error instanceof CliError)) throw error;
      if (again >= MOST_RETRIES) {
        context.terminal.note(`the log of attempt ${attempt.attempt} cannot be read: ${error.message}`);
        return undefined;
      }
      await sleep(context.clock, RETRY_AFTER_MS);
    }
  }
}

/** How an attempt went whose log this device is not shown. */
async function untilOver(
  { clock }: CommandContext,
  link: PayloadAgent,
  { job, attempt }: Attempt,
): Promise<AttemptView> {
  for (;;) {
    const view = await viewAttempt(link, job, attempt);
    if (view.outcome !== null) return view;
    await sleep(clock, RETRY_AFTER_MS);
  }
}

async function showLog(
  { terminal }: CommandContext,
  link: PayloadAgent,
  { attempt: { job, attempt }, shown }: { attempt: Attempt; shown: { bytes: number } },
): Promise<AttemptView> {
  for await (const line of readLog(link, { job, attempt, from: shown.bytes, follow: true })) {
    if (line.kind !== 'line') break;
    shown.bytes = line.next;
    terminal.value({ event: 'log', stream: line.stream, text: line.text });
    terminal.line(line.text);
  }
  return viewAttempt(link, job, attempt);
}
