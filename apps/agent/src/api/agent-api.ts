import type { IncomingMessage, ServerResponse } from 'node:http';
import { isId, type Clock, type JobId } from '@ringfence/base';
import { peerOf } from '@ringfence/client/payload-link';
import { headMaxAge } from '@ringfence/keyring';
import { isGated } from '@ringfence/policy/release';
import type { LogLine } from '@ringfence/protocol/payload';
import type { AttemptRunner } from '../attempt/attempt-runner.ts';
import { AttemptFolder, attemptsOfJob } from '../attempt/attempt-folder.ts';
import { sendJson, sendRefusal } from '../http/send-json.ts';
import type { FollowedLocks } from '../link/followed-locks.ts';
import type { KeyringCopy } from '../link/keyring-copy.ts';
import { readMetricFile } from '../job-metrics/metric-file.ts';
import { readLogLines } from '../logs/attempt-log.ts';
import { startOfLog, type LogWish } from '../logs/log-start.ts';
import type { Leave, OwnersLeave } from '../release/owners-leave.ts';
import { mayRead } from './may-read.ts';
import { sendMetrics, type MetricWish } from './send-metrics.ts';

/** What the agent's payload API needs of one link. */
export interface AgentApiOptions {
  readonly state: string;
  readonly keyring: KeyringCopy;
  readonly locks: Pick<FollowedLocks, 'suspended'>;
  readonly runner: AttemptRunner;
  readonly clock: Clock;
  /** Whether owners let a device see the log or the metrics of a job on their data. */
  readonly leave: Pick<OwnersLeave, 'ask'>;
}

const ALIVE_EVERY_MS = 30_000;

interface Asked {
  readonly job: JobId;
  readonly attempt: number;
  readonly part: 'view' | 'logs' | 'metrics';
  readonly from: number;
  readonly follow: boolean;
  readonly log: Omit<LogWish, 'from'>;
  readonly metrics: MetricWish;
}

/** Answers devices of the organisation over payload links: how an attempt stands, its log, and its metrics. */
export function agentApi(options: AgentApiOptions): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    request.resume();
    const asked = request.method === 'GET' ? readRequest(options.state, request.url ?? '') : undefined;
    if (asked === undefined) return sendRefusal(response, 404, 'not-found', 'there is no such thing here');
    const folder = new AttemptFolder(options.state, asked);
    const { about } = folder;
    const peer = peerOf(request);
    const device = peer.kind === 'known' && isId('device', peer.id) ? peer.id : undefined;
    // The same answer whether the job is not here or not this device's: whoever may not read it learns nothing.
    if (
      about === undefined ||
      device === undefined ||
      !mayRead(options.keyring.keyring, device, about, options.locks.suspended)
    )
      return sendRefusal(response, 404, 'not-found', 'this agent has no such attempt that this device may read');
    const current = (): boolean => options.keyring.isCurrent(headMaxAge(about.sensitivity));
    if (!current())
      return sendRefusal(response, 503, 'stale-keyring', 'this agent has not heard from its custodian who may read');
    const { part, job, attempt } = asked;
    if (part === 'view' || !isGated(about.sensitivity)) return answer(response, folder, asked, { ...options, current });
    const wanted = { job, attempt, device, kind: part };
    const open = async (): Promise<boolean> => (await options.leave.ask(wanted)) === 'opened';
    void options.leave.ask(wanted).then((leave) => {
      if (leave !== 'opened') return sendRefusal(response, ...NO_LEAVE[leave]);
      answer(response, folder, asked, { ...options, current, open });
    });
  };
}

/** What a device is told that may not see it. */
const NO_LEAVE: Readonly<Record<Exclude<Leave, 'opened'>, readonly [number, string, string]>> = {
  'not-released': [
    403,
    'not-released',
    'the job is on confidential or restricted data, and the owner of that has not released this to this device',
  ],
  unknown: [503, 'unavailable', 'this agent cannot ask its custodian whether the owner of the data has released this'],
};

function answer(response: ServerResponse, folder: AttemptFolder, asked: Asked, source: LogSource): void {
  const { runner, clock } = source;
  if (asked.part === 'logs') return sendLog(response, folder, asked, source);
  const live = runner.workOf(asked.job, asked.attempt);
  const view = live?.view === undefined ? folder.about?.view : { ...live.view, ...live.work.used };
  if (view === undefined) return sendRefusal(response, 404, 'not-found', 'this agent has no such attempt any more');
  if (asked.part === 'view') return sendJson(response, 200, view);
  const store = live?.work.metrics?.store ?? readMetricFile(folder.metricsPath);
  sendMetrics(response, store, { view, wish: asked.metrics, clock });
}

function readRequest(state: string, target: string): Asked | undefined {
  if (!URL.canParse(target, 'https://agent')) return undefined;
  const url = new URL(target, 'https://agent');
  const [, version, jobs, job = '', part = 'view', ...more] = url.pathname.split('/');
  if (version !== 'v1' || jobs !== 'jobs' || !isId('job', job) || more.length > 0) return undefined;
  if (part !== 'view' && part !== 'logs' && part !== 'metrics') return undefined;
  const number = (name: string, otherwise: number): number => {
    const text = url.searchParams.get(name);
    return text === null ? otherwise : /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  };
  const attempt = number('attempt', attemptsOfJob(state, job).at(-1) ?? 1);
  const from = number('from', 0);
  const log = { since: number('since', 0), tail: url.searchParams.has('tail') ? number('tail', 0) : undefined };
  const metrics = { since: number('since', 0), last: number('last', Number.MAX_SAFE_INTEGER) };
  if (
    [from, log.since, log.tail ?? 0, metrics.since, metrics.last].some(Number.isNaN) ||
    !(attempt >= 1 && attempt <= 1_000_000)
  )
    return undefined;
  return { job, attempt, part, from, follow: url.searchParams.get('follow') === '1', log, metrics };
}

/** Whom a log comes from, and whether its reader can still be known to be a member. */
interface LogSource {
  readonly runner: AttemptRunner;
  readonly current: () => boolean;
  readonly clock: Clock;
  /** Whether the owner of the data still lets the reader see it; absent where nobody has to. */
  readonly open?: () => Promise<boolean>;
}

function sendLog(response: ServerResponse, folder: AttemptFolder, asked: Asked, source: LogSource): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  void streamLog(response, folder, asked, source).catch(() => response.destroy());
}

async function streamLog(
  response: ServerResponse,
  folder: AttemptFolder,
  asked: Asked,
  { runner, current, clock, open }: LogSource,
): Promise<void> {
  let next = startOfLog(folder.logPath, { from: asked.from, ...asked.log });
  while (!response.destroyed) {
    if (!current() || (await open?.()) === false) return void response.destroy();
    const log = runner.workOf(asked.job, asked.attempt)?.work.log;
    const over = log === undefined || log.closed;
    const read = readLogLines(folder.logPath, next);
    if (read.lines.length > 0) {
      next = read.next;
      await write(response, read.lines);
      continue;
    }
    if (over || !asked.follow) break;
    const quiet = await changeWithin(response, log.listen.bind(log), clock);
    // An empty line says that the link lives: a silent one would be cut.
    if (quiet) response.write('\n');
  }
  const { outcome, logDropped } = folder.about?.view ?? { outcome: null };
  if (logDropped !== undefined) await write(response, [{ kind: 'dropped', bytes: logDropped }]);
  const end: LogLine | undefined = outcome === null ? undefined : { kind: 'end', outcome };
  response.end(end === undefined ? '' : `${JSON.stringify(end)}\n`);
}

async function write(response: ServerResponse, lines: readonly LogLine[]): Promise<void> {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  if (!response.write(text)) await change(response, (changed) => void response.once('drain', changed));
}

/** Resolves at the next change, or after {@link ALIVE_EVERY_MS} without one: then true. */
function changeWithin(
  response: ServerResponse,
  listen: (changed: () => void) => () => void,
  clock: Clock,
): Promise<boolean> {
  let quiet = false;
  return change(response, (changed) => {
    const unlisten = listen(changed);
    const cancel = clock.after(ALIVE_EVERY_MS, () => {
      quiet = true;
      changed();
    });
    return () => {
      unlisten();
      cancel();
    };
  }).then(() => quiet);
}

/** Resolves at the next change, or when the reader leaves. */
function change(response: ServerResponse, listen: (changed: () => void) => (() => void) | void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('close', done);
      if (typeof unlisten === 'function') unlisten();
      resolve();
    };
    const unlisten = listen(done);
    response.once('close', done);
  });
}
