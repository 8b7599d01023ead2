import type * as ChildProcess from 'node:child_process';
import type * as Fs from 'node:fs';
import type * as Net from 'node:net';
import type * as Os from 'node:os';

/** What the init is told, by a file that the job may read: it is all about the job itself. */
export interface InitConfig {
  /** Listens on 127.0.0.1:`port` and forwards to the unix socket of the egress proxy; null without egress. */
  readonly egress: { readonly port: number; readonly socket: string } | null;
  /** Listens on the unix socket and forwards to 127.0.0.1:`port` once the service accepted, which `word` tells; null without a service. */
  readonly inbound: { readonly socket: string; readonly port: number; readonly word: number } | null;
  /** The whole environment of the command. The init itself runs without it: NODE_OPTIONS of a job is not for its init. */
  readonly env: Readonly<Record<string, string>>;
}

/** Modules of Node that the init's text imports. */
export interface InitModules {
  readonly net: typeof Net;
  readonly fs: typeof Fs;
  readonly childProcess: typeof ChildProcess;
  readonly os: typeof Os;
}

/**
 * The init itself: listens, starts the command of its arguments, forwards, and ends as the command does (128 + n for signal n). It
 * travels as its own source text (see init-text.ts), so it names nothing outside itself. It holds no right that the job has not:
 * whoever takes it over has won nothing.
 */
export async function initProgram({ net, fs, childProcess, os }: InitModules): Promise<void> {
  const { connect, createServer } = net;
  const { readFileSync, rmSync, writeSync } = fs;
  const [, , configPath = '', program = '', ...args] = process.argv;
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as InitConfig;
  const { egress, inbound } = config;

  const join = (one: Net.Socket, other: Net.Socket): void => {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      from.pipe(to);
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  };
  const listen = (where: { host: string; port: number } | { path: string }, take: (socket: Net.Socket) => void) =>
    new Promise<void>((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, take);
      server.maxConnections = 1024;
      server.on('error', reject).listen(where, resolve);
    });
  if (egress !== null)
    await listen({ host: '127.0.0.1', port: egress.port }, (socket) =>
      join(socket, connect({ path: egress.socket, allowHalfOpen: true })),
    );
  if (inbound !== null) {
    rmSync(inbound.socket, { force: true });
    await listen({ path: inbound.socket }, (socket) => {
      socket.on('error', () => {});
      const service = connect({ host: '127.0.0.1', port: inbound.port, allowHalfOpen: true, noDelay: true });
      service.on('error', () => socket.destroy());
      service.on('connect', () => {
        socket.write(Buffer.of(inbound.word));
        join(socket, service);
      });
    });
  }

  const command = childProcess.spawn(program, args, { env: config.env, stdio: 'inherit' });
  // The agent signals every process of a job, the command too: passed on as well, each would come twice.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const)
    process.on(signal, () => {});
  command.on('error', (error: NodeJS.ErrnoException) => {
    writeSync(2, `ringfence: the command cannot be started (${error.code})\n`);
    process.exit(error.code === 'ENOENT' ? 127 : 126);
  });
  command.on('exit', (code, signal) =>
    process.exit(signal === null ? (code ?? 1) : 128 + os.constants.signals[signal]),
  );
}
