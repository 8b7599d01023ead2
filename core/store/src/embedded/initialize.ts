import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rng } from '@ringfence/base';
import { syncFolder } from '@ringfence/base/platform';
import { scramVerifier } from '../scram-verifier.ts';
import { StoreError } from '../store-error.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { hasCode } from '../first-writer.ts';
import type { Places } from './places.ts';
import { readProcess } from './process-entry.ts';
import { SERVER_ENVIRONMENT, initdbArguments } from './settings.ts';

const UNFINISHED = 'data.new-';
const OUTPUT_LIMIT = 64 * 1024;

/** What initdb needs to know. */
export interface Initialization {
  readonly places: Places;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  readonly password: string;
  readonly rng: Rng;
}

/**
 * Makes the data folder beside its place and moves it there by one rename: a crash or a second starter leaves a whole data folder
 * or none. Throws `start-failed`.
 */
export async function initializeData(options: Initialization): Promise<void> {
  const { places, account } = options;
  const unfinished = join(places.cluster, `${UNFINISHED}${process.pid}`);
  const verifier = join(places.cluster, `verifier-${process.pid}`);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(verifier, `${scramVerifier(options.password, options.rng.bytes(16))}\n`, { mode: 0o600 });
  if (account !== undefined) for (const path of [unfinished, verifier]) chownSync(path, account.uid, account.gid);
  chmodSync(unfinished, 0o700);
  try {
    await runInitdb(options, initdbArguments(unfinished, verifier));
    renameSync(unfinished, places.data);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].some((code) => hasCode(error, code))) throw error;
  } finally {
    rmSync(verifier, { force: true });
    removeUnfinished(places);
  }
  syncFolder(places.cluster);
}

function runInitdb(options: Initialization, args: readonly string[]): Promise<void> {
  const { binaries, account } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(join(binaries.folder, 'bin', 'initdb'), args, {
      cwd: '/',
      env: SERVER_ENVIRONMENT,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_LIMIT);
    });
    child.once('error', fail);
    child.once('close', (code) => (code === 0 ? resolve() : fail(new Error(output.trim()))));
    function fail(cause: Error): void {
      reject(
        new StoreError('start-failed', 'initdb could not make the data folder', {
          cause,
          next: 'see the cause; free disk space or set a database URL',
        }),
      );
    }
  });
}

/** Removes what this process and starters that have died left half made. */
function removeUnfinished(places: Places): void {
  for (const name of existsSync(places.cluster) ? readdirSync(places.cluster) : []) {
    if (!name.startsWith(UNFINISHED)) continue;
    const pid = Number(name.slice(UNFINISHED.length));
    if (pid === process.pid || readProcess(pid) === undefined)
      rmSync(join(places.cluster, name), { recursive: true, force: true });
  }
}
