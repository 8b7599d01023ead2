// A capture by another process: Debian's tcpdump, until it is told to stop.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Captures all packets of an interface into `file`; `prefix` runs it on another host. Resolves once it listens. */
export async function startCapture(options: {
  readonly file: string;
  readonly device: string;
  readonly prefix?: readonly string[];
  readonly filter?: string;
}): Promise<{ stop: () => Promise<void> }> {
  const { file, device, prefix = [], filter = 'tcp' } = options;
  const [program, ...args] = [
    ...prefix,
    'tcpdump',
    '-i',
    device,
    '-s',
    '0',
    '--immediate-mode',
    '-U',
    '-w',
    file,
    filter,
  ];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const closed = once(child, 'close');
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('listening on')) resolve();
    });
    child.once('close', () => reject(new Error(`tcpdump ended: ${said}`)));
  });
  return {
    async stop() {
      child.kill('SIGINT');
      await closed;
    },
  };
}
