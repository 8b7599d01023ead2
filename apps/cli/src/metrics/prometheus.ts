import { seriesText } from './metric-text.ts';
import type { MetricsView } from './read-metrics.ts';

/**
 * The last values in Prometheus' text format 0.0.4: `ringfence_job_NAME` for the job's own and `ringfence_attempt_NAME` for the machine's, with
 * the job and the attempt as labels. What a Prometheus name cannot hold becomes `_`.
 */
export function prometheusText({ series, state }: MetricsView): string {
  const samples = series.flatMap(({ source, name, labels, points }) => {
    const last = points.at(-1);
    if (last === undefined) return [];
    const family = `ringfence_${source === 'job' ? 'job' : 'attempt'}_${name.replaceAll(/[^A-Za-z0-9_]/g, '_')}`;
    const all = { job: state.job, attempt: String(state.attempt), ...renamed(labels) };
    return [{ family, line: `${seriesText({ name: family, labels: all })} ${last.value} ${last.at}` }];
  });
  const families = Map.groupBy(samples, ({ family }) => family);
  return [...families]
    .map(([family, found]) => [`# TYPE ${family} gauge`, ...found.map(({ line }) => line), ''].join('\n'))
    .join('');
}

/** Labels that would hide those of the attempt keep their value under another name. */
function renamed(labels: Readonly<Record<string, string>>): Record<string, string> {
  const own = new Set(['job', 'attempt']);
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [own.has(name) ? `exported_${name}` : name, value]),
  );
}
