import { sleep, type AgentId, type JobId } from '@ringfence/base';
import { ClientError } from '@ringfence/client/error';
import type { PayloadAgent } from '@ringfence/client/payload-link';
import type { CommandContext } from '../command.ts';
import { withAgent } from '../job/agent-client.ts';
import type { Session } from '../session.ts';
import { metricsTable } from './metrics-table.ts';
import { seriesText, valueText } from './metric-text.ts';
import { readMetrics, type MetricsView } from './read-metrics.ts';
import type { Screen } from './screen.ts';

const LOOK_EVERY_MS = 1_000;
const MOST_RETRIES = 10;

/** What is followed. */
export interface Followed {
  readonly job: JobId;
  readonly attempt: number;
  readonly agent: AgentId;
  readonly last: number | undefined;
  /** What the job was called on the command line. */
  readonly name: string;
  readonly screen: Screen;
}

/**
 * Shows an attempt's metrics until it ends: drawn over where the screen can, else a line for each new point. A link that breaks is made again;
 * after ten failures in a row the last one is thrown.
 */
export async function followMetrics(context: CommandContext, session: Session, followed: Followed): Promise<void> {
  const drawsWhole = followed.screen.live && !context.terminal.json;
  const show = drawsWhole ? redrawn(context, followed) : listed(context);
  const seen = { until: undefined as number | undefined, failures: 0 };
  for (;;) {
    try {
      return await withAgent(context, session, followed.agent, (link) =>
        look(context, link, { followed, drawsWhole, show, seen }),
      );
    } catch (error) {
      if (!(error instanceof ClientError) || seen.failures >= MOST_RETRIES) throw error;
      seen.failures += 1;
      await sleep(context.clock, LOOK_EVERY_MS);
    }
  }
}

interface Following {
  readonly followed: Followed;
  readonly drawsWhole: boolean;
  readonly show: (view: MetricsView) => void;
  readonly seen: { until: number | undefined; failures: number };
}

async function look(
  { clock }: CommandContext,
  link: PayloadAgent,
  { followed, drawsWhole, show, seen }: Following,
): Promise<void> {
  const { job, attempt, last } = followed;
  for (;;) {
    // A screen is drawn whole each time; lines go on behind the newest point of the last look.
    const since = seen.until === undefined || drawsWhole ? {} : { since: seen.until };
    const view = await readMetrics(link, { job, attempt, last, ...since });
    seen.failures = 0;
    show(view);
    seen.until = Math.max(seen.until ?? 0, ...view.series.map(({ points }) => points.at(-1)?.at ?? 0));
    if (view.state.outcome !== null) return;
    await sleep(clock, LOOK_EVERY_MS);
  }
}

function redrawn({ terminal }: CommandContext, { name, screen }: Followed): (view: MetricsView) => void {
  let height = 0;
  return (view) => {
    const lines = metricsTable(name, view, screen);
    // Up to where the last picture began, and clear from there.
    terminal.raw(`${height === 0 ? '' : `\u001B[${height}A\u001B[J`}${lines.join('\n')}\n`);
    height = lines.length;
  };
}

function listed({ terminal }: CommandContext): (view: MetricsView) => void {
  return ({ series, state }) => {
    const points = series.flatMap(({ points: own, ...one }) => own.map((point) => ({ one, point })));
    for (const { one, point } of points.toSorted((a, b) => a.point.at - b.point.at)) {
      terminal.value({ kind: 'point', ...one, ...point });
      const step = point.step === undefined ? '' : ` (step ${point.step})`;
      terminal.line(`${seriesText(one)} ${valueText(point.value, one.unit)}${step}`);
    }
    if (state.outcome !== null) terminal.value({ kind: 'end', ...state });
  };
}
