import { LATENCY_BOUNDS_MS, type EndpointCounts } from '@ringfence/protocol/payload';

/** Counters of endpoints in Prometheus' text format, by the endpoint's id: names are for members alone. */
export function prometheusText(endpoints: readonly EndpointCounts[]): string {
  if (endpoints.length === 0) return '';
  const family = (name: string, type: string, help: string, rows: (of: EndpointCounts) => readonly string[]): string =>
    [`# HELP ${PREFIX}${name} ${help}`, `# TYPE ${PREFIX}${name} ${type}`, ...endpoints.flatMap(rows)].join('\n');
  const row = (name: string, labels: string, value: number): string => `${PREFIX}${name}{${labels}} ${value}`;
  const by = ({ endpoint }: EndpointCounts): string => `endpoint="${endpoint}"`;
  return `${[
    family('answers_total', 'counter', 'Answers by class of status', (of) =>
      Object.entries(of.answers).map(([status, count]) => row('answers_total', `${by(of)},class="${status}"`, count)),
    ),
    family('refusals_total', 'counter', 'Answers that the gateway made itself, by reason', (of) =>
      Object.entries(of.refusals).map(([why, count]) => row('refusals_total', `${by(of)},reason="${why}"`, count)),
    ),
    family('in_flight', 'gauge', 'Requests at a replica', (of) => [row('in_flight', by(of), of.inFlight)]),
    family('held', 'gauge', 'Requests that wait for a replica', (of) => [row('held', by(of), of.held)]),
    family('tokens_total', 'counter', 'Tokens of language models', (of) => [
      row('tokens_total', `${by(of)},direction="in"`, of.tokensIn),
      row('tokens_total', `${by(of)},direction="out"`, of.tokensOut),
    ]),
    family('latency_seconds', 'histogram', 'From a request to the beginning of its answer', (of) =>
      latency(of, by(of)),
    ),
  ].join('\n')}\n`;
}

const PREFIX = 'ringfence_gateway_';

function latency({ latency: counts, latencyMsSum }: EndpointCounts, by: string): string[] {
  let sum = 0;
  const buckets = counts.map((count, index) => {
    const bound = LATENCY_BOUNDS_MS[index];
    sum += count;
    return `${PREFIX}latency_seconds_bucket{${by},le="${bound === undefined ? '+Inf' : bound / 1_000}"} ${sum}`;
  });
  return [
    ...buckets,
    `${PREFIX}latency_seconds_sum{${by}} ${latencyMsSum / 1_000}`,
    `${PREFIX}latency_seconds_count{${by}} ${sum}`,
  ];
}
