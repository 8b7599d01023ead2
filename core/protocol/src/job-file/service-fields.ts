import { countAmount, type Amount } from './amount.ts';
import { oneOf, record, text, wholeNumber, type ReadBy } from './read.ts';

/** What callers of a service speak. */
const SERVICE_APIS = ['http', 'openai'] as const;
/** What replicas are scaled by: calls in flight, or calls a second, per replica. */
const SCALING_METRICS = ['concurrency', 'requests-per-second'] as const;

/** How a `serve` job is called. */
export interface Service {
  /** Port that the process listens on inside its sandbox. */
  readonly port: number;
  readonly api: (typeof SERVICE_APIS)[number];
  readonly replicas: { readonly min: number; readonly max: number };
  readonly scaling: { readonly metric: (typeof SCALING_METRICS)[number]; readonly target: number } | undefined;
  /** Path that answers 200 when a replica is ready. */
  readonly probe: string | undefined;
}

const MAX_REPLICAS = 1000;

/** Reads the `service` section. */
export const serviceFields = record(
  {
    // A sandboxed process cannot bind the ports below 1024.
    port: wholeNumber(1024, 65_535),
    api: oneOf(SERVICE_APIS),
    replicas: countAmount(0, MAX_REPLICAS),
    scaling: record({ metric: oneOf(SCALING_METRICS), target: wholeNumber(1, 1_000_000) }, ['metric', 'target']),
    probe: text(parseProbe, 'a path such as /health'),
  },
  ['port'],
);

/** The values of a `service` section. */
export type ServiceValues = ReadBy<typeof serviceFields>;

/** The section in the terms of the rest of the program; undefined without a port. */
export function serviceOf(values: ServiceValues | undefined): Service | undefined {
  if (values?.port === undefined) return undefined;
  const { api = 'http', scaling, probe } = values;
  const { metric, target } = scaling ?? {};
  return {
    port: values.port,
    api,
    replicas: closedRange(values.replicas),
    scaling: metric === undefined || target === undefined ? undefined : { metric, target },
    probe,
  };
}

function closedRange(replicas: Amount = { min: 1, max: 1 }): Service['replicas'] {
  return { min: replicas.min, max: replicas.max ?? MAX_REPLICAS };
}

function parseProbe(value: string): string | undefined {
  return /^(?:\/[A-Za-z0-9._~-]{1,64}){1,8}\/?$|^\/$/.test(value) ? value : undefined;
}
