import { RingfenceError, messageOf } from './error.ts';
import type { Clock } from './clock.ts';

/** The only fields that a log line may carry (invariant 10): ids, counts, codes; never payload. */
export const LOG_FIELDS = [
  'agent',
  'artifact',
  'attempt',
  'bytes',
  'code',
  'count',
  'custodian',
  'device',
  'duration_ms',
  'error',
  'event_seq',
  'expected',
  'isolation',
  'job',
  'listen',
  'method',
  'next',
  'org',
  'peer',
  'pid',
  'port',
  'reason',
  'relay',
  'remote',
  'replica',
  'route',
  'seq',
  'signal',
  'state',
  'status',
  'term',
  'type',
  'url',
  'version',
] as const;
/** One of {@link LOG_FIELDS}. */
export type LogField = (typeof LOG_FIELDS)[number];
/** Values of a log line. */
export type LogFields = { readonly [Field in LogField]?: string | number | boolean };
/** How loud a line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The level of this name; undefined when there is none. */
export function parseLogLevel(text: string): LogLevel | undefined {
  return (['debug', 'info', 'warn', 'error'] as const).find((level) => level === text);
}

/** A structured log: one event name from the code, and allow-listed fields. */
export interface Log {
  readonly debug: (event: string, fields?: LogFields) => void;
  readonly info: (event: string, fields?: LogFields) => void;
  readonly warn: (event: string, fields?: LogFields) => void;
  readonly error: (event: string, fields?: LogFields) => void;
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A log that writes one JSON object a line through `write`. */
export function createLog(options: {
  role: string;
  clock: Clock;
  write: (line: string) => void;
  level?: LogLevel;
}): Log {
  const floor = RANK[options.level ?? 'info'];
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (RANK[level] < floor) return;
      const known = Object.fromEntries(
        LOG_FIELDS.flatMap((field) => (fields[field] === undefined ? [] : [[field, fields[field]]])),
      );
      options.write(
        // oxlint-disable-next-line no-restricted-globals -- writes out a moment that the clock gave
        `${JSON.stringify({ t: new Date(options.clock.now()).toISOString(), level, role: options.role, event, ...known })}\n`,
      );
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A log that says nothing. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Log fields of anything thrown: its code, and its message when it is one of our own (others may quote payload). */
export function errorFields(error: unknown): LogFields {
  if (error instanceof RingfenceError) return { code: error.code, error: error.message };
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unexpected';
  return { code, error: error instanceof Error ? error.name : messageOf(typeof error) };
}
