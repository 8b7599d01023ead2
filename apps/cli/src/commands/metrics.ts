import { parseDuration, RingfenceError, type AgentId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { text, type Command, type CommandContext } from '../command.ts';
import { withAgent } from '../job/agent-client.ts';
import { whichAttempt } from '../job/which-attempt.ts';
import { whichRunning } from '../job/which-job.ts';
import { followMetrics } from '../metrics/follow-metrics.ts';
import { metricsTable } from '../metrics/metrics-table.ts';
import { prometheusText } from '../metrics/prometheus.ts';
import { readMetrics, readSealedMetrics, type MetricsView } from '../metrics/read-metrics.ts';
import { screenOf } from '../metrics/screen.ts';
import { saysWhy } from '../release/not-released.ts';
import { withSession, type Session } from '../session.ts';

export const command: Command = {
  usage: 'JOB [-f] [--attempt N] [--since 10m] [--prometheus]',
  summary: 'what a job uses and reports, drawn, from the server that runs it (-f: follow)',
  options: {
    follow: { type: 'boolean', short: 'f' },
    attempt: { type: 'string' },
    since: { type: 'string' },
    prometheus: { type: 'boolean' },
  },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const { terminal } = context;
    const since = text(flags, 'since');
    const last = since === undefined ? undefined : parseDuration(since);
    if (since !== undefined && last === undefined)
      throw new CliError('usage', '--since is not a length of time', { next: 'write it as 10m or 2h' });
    if (flags['follow'] === true && flags['prometheus'] === true)
      throw new CliError('usage', '--prometheus gives the last values once', { next: 'leave --follow out' });
    await withSession(context, async (session) => {
      const job = await whichRunning(session, word);
      const { attempt, agent } = whichAttempt(await session.controlPlane.job(job), text(flags, 'attempt'));
      const screen = screenOf(process.stdout, process.env);
      const of = { job, attempt, last };
      if (flags['follow'] === true) return followMetrics(context, session, { ...of, agent, name: word, screen });
      const view = await ask(context, session, { ...of, agent });
      if (flags['prometheus'] === true) return terminal.raw(prometheusText(view));
      terminal.value({ ...view.state, series: view.series });
      for (const line of metricsTable(word, view, screen)) terminal.line(line);
    });
  },
};

/** From the agent; when that cannot be asked any more, or has dropped them for newer ones, from the custodian. */
async function ask(
  context: CommandContext,
  session: Session,
  { agent, ...of }: Parameters<typeof readSealedMetrics>[1] & { agent: AgentId },
): Promise<MetricsView> {
  const sealed = async (): Promise<MetricsView> => {
    const view = await readSealedMetrics(session, of);
    context.terminal.note('this is what the agent sealed to the custodian');
    return view;
  };
  try {
    const view = await withAgent(context, session, agent, (link) => readMetrics(link, of));
    const isGone = view.state.outcome !== null && view.series.length === 0;
    return isGone ? await sealed().catch(() => view) : view;
  } catch (error) {
    if (!(error instanceof RingfenceError)) throw error;
    return sealed().catch((refused: unknown) => {
      throw saysWhy(refused) ? refused : error;
    });
  }
}
