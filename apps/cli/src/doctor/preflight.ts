import { spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatDuration, messageOf, type Clock } from '@ringfence/base';
import { HttpsExchange } from '@ringfence/client/api';
import { ClientError } from '@ringfence/client/error';
import { outerSettings } from '../home/outer-settings.ts';
import { bad, good, warn, type Finding } from './finding.ts';

/** What a machine that is to become an agent is asked for beside its sandbox. */
export interface PreflightOptions {
  readonly controlPlane: string | undefined;
  readonly relay: string | undefined;
  /** PEM file of the authorities of both, as many as they have; default RINGFENCE_CA_FILE, else the system's. */
  readonly caFile: string | undefined;
  /** Where attempts will lie; its nearest existing folder is looked at. */
  readonly work: string;
  readonly clock: Clock;
}

/** Leases are counted by each side's own clock, with 15 s of grace between them. */
const SKEW_BAD_MS = 10_000;
const SKEW_WARN_MS = 2_000;
const ROOM_BAD = 2e9;
const ROOM_WARN = 20e9;
const SYNCS = 20;
const SLOW_SYNCS_PER_S = 50;

/** Whether this machine reaches its services, tells the right time, has room and a GPU; each with the exact remedy. */
export async function preflightFindings(options: PreflightOptions): Promise<Finding[]> {
  const { work } = options;
  return [...(await services(options)), room(work), disk(work), gpu()];
}

async function services({ controlPlane, relay, caFile, clock }: PreflightOptions): Promise<Finding[]> {
  const proxy = process.env['RINGFENCE_PROXY'];
  const through = proxy === undefined ? 'directly' : 'through the proxy of RINGFENCE_PROXY';
  const found: Finding[] = [];
  const way = { clock, through, caFile };
  if (controlPlane === undefined)
    found.push(warn('control plane', 'not tried', 'add --control-plane https://HOST:PORT to try it as an agent would'));
  else found.push(...(await service({ check: 'control plane', url: controlPlane, path: '/v1/control-plane' }, way)));
  if (relay === undefined) found.push(warn('relay', 'not tried', 'add --relay https://HOST:PORT'));
  else found.push(...(await service({ check: 'relay', url: relay, path: '/healthz' }, way)));
  return found;
}

interface Tried {
  readonly check: string;
  readonly url: string;
  readonly path: string;
}

async function service(
  { check, url, path }: Tried,
  { clock, through, caFile }: { clock: Clock; through: string; caFile: string | undefined },
): Promise<Finding[]> {
  const exchange = new HttpsExchange({ url, clock, ...outerSettings(null, caFile) });
  try {
    const before = clock.now();
    const { status, date } = await exchange.send({ method: 'GET', target: path, headers: {}, body: new Uint8Array() });
    const took = clock.now() - before;
    const reached =
      status === 200
        ? good(check, `${url} ${through}, ${took} ms`)
        : bad(check, `answers ${status}`, 'check the address with its operator');
    // oxlint-disable-next-line no-restricted-globals -- reads a header, not the time
    return date === undefined ? [reached] : [reached, skew(check, Date.parse(date) - before, took)];
  } catch (error) {
    return [bad(check, `${messageOf(error)} (${through})`, remedyOf(error))];
  } finally {
    await exchange.close();
  }
}

/** A server with an authority of its own is no fault of the network. */
function remedyOf(error: unknown): string {
  if (error instanceof ClientError && error.code === 'untrusted-server')
    return 'name the authorities of control plane and relay, and of a proxy that inspects TLS, all in one PEM file, with --ca-file or RINGFENCE_CA_FILE: their ca.pem, one after the other. An agent gets its pins with the join code';
  return 'ask for the row of docs/operate/network.md; a proxy goes into RINGFENCE_PROXY';
}

/** A Date header has whole seconds, and was written somewhere between question and answer. */
function skew(of: string, apart: number, took: number): Finding {
  const sure = Math.max(0, Math.abs(apart) - 1_000 - took);
  const check = `clock against the ${of}`;
  const remedy = 'timedatectl set-ntp true, or start chrony';
  if (sure >= SKEW_BAD_MS) return bad(check, `${formatDuration(sure)} apart at least`, remedy);
  return sure >= SKEW_WARN_MS ? warn(check, `${formatDuration(sure)} apart at least`, remedy) : good(check, 'agrees');
}

/** The folder itself, or the nearest above it that exists. */
function nearest<T>(work: string, look: (folder: string) => T): T {
  try {
    return look(work);
  } catch (error) {
    const above = join(work, '..');
    if (above === work) throw error;
    return nearest(above, look);
  }
}

function room(work: string): Finding {
  const { bavail, bsize } = nearest(work, (folder) => statfsSync(folder));
  const free = bavail * bsize;
  const detail = `${(free / 1e9).toFixed(1)} GB free for ${work}`;
  const remedy = 'free some, or give the agent another folder with --work';
  if (free < ROOM_BAD) return bad('room', detail, remedy);
  return free < ROOM_WARN ? warn('room', detail, remedy) : good('room', detail);
}

function disk(work: string): Finding {
  let folder: string;
  try {
    folder = nearest(work, (above) => mkdtempSync(join(above, '.ringfence-doctor-')));
  } catch {
    folder = mkdtempSync(join(tmpdir(), 'ringfence-doctor-'));
  }
  try {
    const file = openSync(join(folder, 'probe'), 'w', 0o600);
    const begun = performance.now();
    for (let count = 0; count < SYNCS; count += 1) {
      writeSync(file, 'x');
      fdatasyncSync(file);
    }
    const perSecond = Math.round((SYNCS / (performance.now() - begun)) * 1_000);
    closeSync(file);
    const detail = `${perSecond} durable writes a second`;
    return perSecond < SLOW_SYNCS_PER_S
      ? warn('disk', detail, 'each start and each commit waits for some of them: put the state on a faster disk')
      : good('disk', detail);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function gpu(): Finding {
  const asked = spawnSync('nvidia-smi', ['--query-gpu=name,memory.total', '--format=csv,noheader'], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (asked.error !== undefined) return good('GPU', 'none (no nvidia-smi)');
  const lines = asked.stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '');
  if (asked.status === 0 && lines.length > 0) return good('GPU', lines.join('; '));
  return warn(
    'GPU',
    'nvidia-smi finds none that works',
    'see `nvidia-smi`; driver and kernel module have to be of one version',
  );
}
