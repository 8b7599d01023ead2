import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { RelayAccess } from '@ringfence/client/payload-link';
import { temporaryFolder, type Cleanup } from './payload-link-parties.ts';

const MAIN = resolve(import.meta.dirname, '../../apps/relay/src/main.ts');

export interface RelayProcess extends RelayAccess {
  readonly caFile: string;
  readonly pin: string;
  readonly pid: number;
  readonly state: string;
  /** All that the process wrote to stdout and stderr. */
  readonly output: () => string;
  /** One value of /metrics. */
  readonly metric: (name: string) => Promise<number>;
  /** Sends a signal and waits for the end; the exit code or the signal's name. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | string>;
}

/** The relay as people start it: a process of its own. */
export async function startRelayProcess(
  cleanup: Cleanup,
  args: readonly string[] = ['--listen', '127.0.0.1:0'],
  state = temporaryFolder(cleanup),
): Promise<RelayProcess> {
  const child = spawn(process.execPath, [MAIN, 'run', '--state', state, '--log-level', 'debug', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  cleanup.add(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += String(chunk)));
  const ready = await new Promise<{ url: string; ca_file: string; ca_fingerprint: string }>((found, failed) => {
    createInterface(child.stdout).on('line', (line) => {
      output += `${line}\n`;
      found(JSON.parse(line) as { url: string; ca_file: string; ca_fingerprint: string });
    });
    void ended.then(() => failed(new Error(`the relay ended: ${output}`)));
  });
  return {
    relayUrl: ready.url,
    caFile: ready.ca_file,
    pin: ready.ca_fingerprint,
    pid: child.pid ?? 0,
    state,
    output: () => output,
    metric: async (name) => {
      const line = (await readMetrics(ready)).split('\n').find((one) => one.startsWith(`${name} `));
      return Number(line?.split(' ')[1]);
    },
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      const [code, killed] = await ended;
      return code ?? killed ?? 'unknown';
    },
  };
}

function readMetrics(ready: { url: string; ca_file: string }): Promise<string> {
  return new Promise((found, failed) => {
    get(`${ready.url}/metrics`, { ca: readFileSync(ready.ca_file), agent: false }, (response) => {
      text(response).then(found, failed);
    }).on('error', failed);
  });
}
