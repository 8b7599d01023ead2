import { execFile } from 'node:child_process';
import { chownSync, closeSync, constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { HostIdentity } from './capabilities.ts';

/** Takes a piece of a job's output; a promise holds the next piece back until it settles. */
export type OutputSink = (chunk: Buffer) => void | Promise<void>;

/** One stream of a job's output. */
export interface OutputPipe {
  /** The end that the job gets. */
  readonly writeFd: number;
  /** Closes the agent's copy of `writeFd`; once only, since its number may be somebody else's afterwards. */
  readonly closeWriter: () => void;
  /** Reads until every writer has closed. */
  readonly drain: (sink: OutputSink) => Promise<void>;
  /** Stops reading whatever writers remain. */
  readonly abandon: () => void;
}

/**
 * Two pipes for stdout and stderr that belong to the job's host user. Node would give the job sockets, and a pipe of the
 * agent's would belong to the agent: in both cases `echo … > /dev/stderr` fails in the job.
 */
export async function openOutputPipes(
  folder: string,
  owner: HostIdentity | null,
): Promise<readonly [OutputPipe, OutputPipe]> {
  const paths = [`${folder}/stdout`, `${folder}/stderr`] as const;
  await promisify(execFile)('mkfifo', ['-m', '600', ...paths], { timeout: 10_000 });
  try {
    const [stdout, stderr] = paths;
    return [openPipe(stdout, owner), openPipe(stderr, owner)];
  } finally {
    for (const path of paths) rmSync(path, { force: true });
  }
}

function openPipe(path: string, owner: HostIdentity | null): OutputPipe {
  if (owner !== null) chownSync(path, owner.uid, owner.gid);
  // Non-blocking, or opening would wait for a writer that is about to be opened on this very thread.
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(path, constants.O_WRONLY);
  const socket = new Socket({ fd: readFd, readable: true, writable: false });
  socket.pause();
  let writerOpen = true;
  return {
    writeFd,
    closeWriter: () => {
      if (writerOpen) closeSync(writeFd);
      writerOpen = false;
    },
    drain: async (sink) => {
      for await (const chunk of socket) await sink(chunk as Buffer);
    },
    abandon: () => {
      socket.destroy();
    },
  };
}
