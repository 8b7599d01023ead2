import { sleep, type JobId } from '@ringfence/base';
import { ClientError } from '@ringfence/client/error';
import type { JobView } from '@ringfence/protocol/api';
import type { AttemptView } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import type { Session } from '../session.ts';
import { readLog, viewAttempt, withAgent } from './agent-client.ts';

const LOOK_EVERY_MS = 200;
const OVER: readonly JobView['state'][] = ['succeeded', 'failed', 'cancelled'];

/** What a followed job came to. */
export interface FollowedJob {
  readonly view: JobView;
  readonly attempt: AttemptView | undefined;
}

/** Shows the log of each attempt as it runs, until the job is over. */
export async function followJob(context: CommandContext, session: Session, job: JobId): Promise<FollowedJob> {
  let shown = 0;
  let waiting = '';
  let last: AttemptView | undefined;
  for (;;) {
    const view = await session.controlPlane.job(job);
    const current = view.attempts.at(-1);
    if (current !== undefined && current.attempt > shown && started(current.state)) {
      last = await followAttempt(context, session, { job, attempt: current.attempt, agent: current.agent });
      shown = current.attempt;
      continue;
    }
    if (OVER.includes(view.state)) return { view, attempt: last };
    const reasons = view.waitingFor.map(({ constraint, count }) => `${count} × ${constraint}`).join(', ');
    if (view.state === 'queued' && reasons !== waiting)
      context.terminal.note(`waiting: ${reasons === '' ? 'for a place' : reasons}`);
    waiting = reasons;
    await sleep(context.clock, LOOK_EVERY_MS);
  }
}

function started(state: JobView['attempts'][number]['state']): boolean {
  return state === 'starting' || state === 'running' || state === 'stopped';
}

type Attempt = { readonly job: JobId; readonly attempt: number; readonly agent: JobView['attempts'][number]['agent'] };

async function followAttempt(
  context: CommandContext,
  session: Session,
  { job, attempt, agent }: Attempt,
): Promise<AttemptView | undefined> {
  try {
    return await withAgent(context, session, agent, async (link) => {
      for await (const line of readLog(link, { job, attempt, from: 0, follow: true })) {
        if (line.kind === 'end') break;
        context.terminal.value({ event: 'log', stream: line.stream, text: line.text });
        context.terminal.line(line.text);
      }
      return await viewAttempt(link, job, attempt);
    });
  } catch (error) {
    // The job goes on without somebody to watch it; its state still comes from the control plane.
    if (!(error instanceof ClientError) && !(error instanceof CliError)) throw error;
    context.terminal.note(`the log of attempt ${attempt} cannot be read: ${error.message}`);
    return undefined;
  }
}
