import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/** An image that other people's tools made. */
export interface MadeImage {
  /** OCI layout with one image. */
  readonly layout: string;
  readonly digest: string;
}

const APPLETS = [
  'sh',
  'cat',
  'id',
  'ls',
  'sleep',
  'echo',
  'wc',
  'env',
  'tail',
  'touch',
  'mkdir',
  'mount',
  'wget',
  'nc',
];
const GO = `#!/bin/sh
echo "own command $GREETING $*"
echo made > /out/made
pwd
`;

/** Makes an image of busybox with umoci in `folder`: two layers, the second taking away what the first brought. */
export function makeImage(folder: string): MadeImage {
  const layout = join(folder, 'layout');
  const bundle = join(folder, 'bundle');
  const rootfs = join(bundle, 'rootfs');
  const umoci = (...args: string[]) => execFileSync('umoci', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  umoci('init', '--layout', layout);
  umoci('new', '--image', `${layout}:made`);
  umoci('unpack', '--image', `${layout}:made`, bundle);
  for (const name of ['bin', 'etc', 'app', 'opt/tool', 'gone']) mkdirSync(join(rootfs, name), { recursive: true });
  copyFileSync('/bin/busybox', join(rootfs, 'bin', 'busybox'));
  for (const name of APPLETS) symlinkSync('busybox', join(rootfs, 'bin', name));
  writeFileSync(join(rootfs, 'app', 'go'), GO, { mode: 0o755 });
  writeFileSync(join(rootfs, 'opt', 'tool', 'version'), 'tool 1\n');
  writeFileSync(join(rootfs, 'app', 'private'), 'for owners\n', { mode: 0o600 });
  writeFileSync(join(rootfs, 'gone', 'file'), 'of the first layer\n');
  chmodSync(join(rootfs, 'bin', 'busybox'), 0o4755);
  umoci('repack', '--refresh-bundle', '--image', `${layout}:made`, bundle);
  execFileSync('rm', ['-r', join(rootfs, 'gone')]);
  umoci('repack', '--image', `${layout}:made`, bundle);
  const set = ['--config.entrypoint=/app/go', '--config.cmd=one', '--config.cmd=two', '--config.env=GREETING=hello'];
  umoci('config', '--image', `${layout}:made`, ...set, '--config.workingdir=/app');
  umoci('gc', '--layout', layout);
  const index: { manifests: { digest: string }[] } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  return { layout, digest: index.manifests[0]?.digest ?? '' };
}

/** Copies an image with skopeo. */
export function copyImage(from: string, to: string, ...flags: string[]): void {
  const policy = ['--insecure-policy', 'copy', '--preserve-digests', ...flags];
  execFileSync('skopeo', [...policy, from, to], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** A real registry on loopback. */
export interface TestRegistry {
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly log: () => string;
  stop(): Promise<void>;
}

/** Starts Debian's docker-registry with its files in `folder`; `more` are further sections of its configuration. */
export async function startRegistry(folder: string, more = ''): Promise<TestRegistry> {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'config.yml');
  const http = more.includes('http:') ? more.replace('ADDRESS', host) : `http: {addr: "${host}"}\n${more}`;
  writeFileSync(config, `version: 0.1\nstorage: {filesystem: {rootdirectory: "${folder}/files"}}\n${http}`);
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => void (log += part.toString()));
  const ended = once(child, 'exit');
  const deadline = performance.now() + 20_000;
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`the registry does not start: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    host,
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port');
  return address.port;
}
