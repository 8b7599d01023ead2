import type { AgentId, JobId } from '@ringfence/base';
import { ClientError } from '@ringfence/client/error';
import { requestPayload, streamPayload, type PayloadAgent } from '@ringfence/client/payload-link';
import { attemptView, logLine, type AttemptView, type LogLine } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { createLink } from '../home/link.ts';
import { refuseUnreleased } from '../release/not-released.ts';
import type { Session } from '../session.ts';
import { linesOf } from './lines-of.ts';

/** Runs `use` with a payload link to an agent: the custodian names its route, and its key must be the keyring's. */
export async function withAgent<T>(
  context: CommandContext,
  session: Session,
  agent: AgentId,
  use: (link: PayloadAgent) => Promise<T>,
): Promise<T> {
  const known = (await session.custodian.agents()).find(({ agent: id }) => id === agent);
  if (known === undefined)
    throw new CliError('not-found', 'the custodian does not know this server', { next: 'see `ringfence agent ls`' });
  const link = createLink({ route: known.route, identity: session.identity, clock: context.clock });
  try {
    return await use(link);
  } finally {
    link.destroy();
  }
}

/** How an attempt stands at its agent. */
export async function viewAttempt(link: PayloadAgent, job: JobId, attempt: number): Promise<AttemptView> {
  const answer = await requestPayload(link, { method: 'GET', path: `/v1/jobs/${job}?attempt=${attempt}` });
  const parsed = attemptView.safeParse(answer.body);
  if (answer.status === 200 && parsed.success) return parsed.data;
  throw new CliError('not-found', 'the agent has no such attempt', { next: 'see `ringfence status`' });
}

/** The lines of an attempt's log from byte `from` on; with `follow` until the attempt ends. */
export async function* readLog(
  link: PayloadAgent,
  of: {
    job: JobId;
    attempt: number;
    from: number;
    follow: boolean;
    since?: number | undefined;
    tail?: number | undefined;
  },
): AsyncGenerator<LogLine> {
  const wishes = [
    of.since === undefined ? '' : `&since=${of.since}`,
    of.tail === undefined ? '' : `&tail=${of.tail}`,
    of.follow ? '&follow=1' : '',
  ].join('');
  const path = `/v1/jobs/${of.job}/logs?attempt=${of.attempt}&from=${of.from}${wishes}`;
  const answer = await streamPayload(link, { method: 'GET', path, idleWithin: of.follow ? 'unlimited' : 60_000 });
  if (answer.status !== 200) {
    await refuseUnreleased(answer, 'logs');
    throw new CliError('not-found', 'the agent has no log of this attempt', { next: 'see `ringfence status`' });
  }
  try {
    for await (const line of linesOf(answer.body)) {
      // An empty line only says that the link lives.
      if (line === '') continue;
      const parsed = logLine.safeParse(JSON.parse(line));
      if (parsed.success) yield parsed.data;
    }
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw new ClientError('link-broken', 'the link to the agent broke', { cause, next: 'try again' });
  } finally {
    // Who has seen enough leaves before the end of the answer.
    answer.body.destroy();
  }
}
