#!/usr/bin/env node
// Starts a TypeScript entry on the Node that npm brought, after making sure that node_modules matches the lock.
// Plain JavaScript, node: imports only, because it runs on the system's Node (≥ 20) before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const OLDEST_NODE = 20;
const RUNTIME_NODE = 24;

/** A failure with a message for the person at the terminal; no stack is shown. */
class LaunchError extends Error {}

/**
 * Runs `entry` (path or file: URL) with `args` on Node 24 and ends this process the way the child ended.
 * In a checkout it first runs `npm ci` when node_modules differs from package-lock.json; elsewhere it never installs.
 */
export async function launch(entry, args) {
  try {
    requireOldestNode();
    if (existsSync(join(root, 'package-lock.json'))) installWhenDifferent();
    await runToEnd(runtimeNode(), [String(entry).startsWith('file:') ? fileURLToPath(entry) : entry, ...args]);
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    process.stderr.write(`ringfence: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/**
 * Names the first package whose installed copy is not the one in the lock, or null when all agree.
 * `lock` is package-lock.json, `installed` node_modules/.package-lock.json (or undefined), `machine` {os, cpu, libc}.
 */
export function firstDifference(lock, installed, machine) {
  if (installed === undefined) return 'node_modules';
  for (const [path, wanted] of Object.entries(lock.packages)) {
    if (path === '') continue;
    const present = installed.packages[path];
    if (present === undefined) {
      if (!fits(wanted, machine)) continue;
      return path;
    }
    if (identity(present) !== identity(wanted)) return path;
  }
  return Object.keys(installed.packages).find((path) => lock.packages[path] === undefined) ?? null;
}

/** Says why this machine cannot run Ringfence, or null; `machine` as in firstDifference. */
export function platformProblem({ os, cpu, libc }) {
  if (os === 'linux' && (cpu === 'x64' || cpu === 'arm64') && libc === 'glibc') return null;
  const here = [os, cpu, ...(os === 'linux' ? [libc] : [])].join(' ');
  return `runs on Linux x64 and arm64 with glibc; this machine is ${here}. On macOS or Windows use a Linux VM.`;
}

function identity(entry) {
  return entry.link ? `link:${entry.resolved}` : `${entry.version}:${entry.integrity ?? ''}`;
}

function fits(entry, machine) {
  const allows = (list, value) => list === undefined || [list].flat().includes(value);
  return allows(entry.os, machine.os) && allows(entry.cpu, machine.cpu) && allows(entry.libc, machine.libc);
}

function requireOldestNode() {
  if (Number(process.versions.node.split('.')[0]) >= OLDEST_NODE) return;
  throw new LaunchError(
    `needs Node ${OLDEST_NODE} or newer to start, this is ${process.version}. See https://nodejs.org/`,
  );
}

function thisMachine() {
  process.report.excludeNetwork = true;
  const glibc = process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime;
  return { os: process.platform, cpu: process.arch, libc: glibc ? 'glibc' : 'musl' };
}

function installWhenDifferent() {
  const machine = thisMachine();
  const problem = platformProblem(machine);
  if (problem !== null) throw new LaunchError(problem);
  const lock = readJson(join(root, 'package-lock.json'));
  const difference = firstDifference(lock, readJson(join(root, 'node_modules', '.package-lock.json')), machine);
  if (difference === null && existsSync(npmNode())) return;
  process.stderr.write(
    `ringfence: installing packages (${difference ?? 'Node'} is missing or differs from package-lock.json)\n`,
  );
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const ci = [...npm.slice(1), 'ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  // Output goes to stderr, so that `--json` on stdout stays clean.
  const { status, error } = spawnSync(npm[0], ci, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error?.code === 'ENOENT') throw new LaunchError('npm was not found; install npm, or start through `npm run`.');
  if (status !== 0)
    throw new LaunchError(
      '`npm ci` failed (see above). Check the network and the npm registry setting, then run it again.',
    );
  if (!existsSync(npmNode()))
    throw new LaunchError(
      `the package node-linux-${process.arch} did not arrive; is \`omit=optional\` set in an .npmrc?`,
    );
}

function npmNode() {
  return join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
}

function runtimeNode() {
  if (existsSync(npmNode())) return npmNode();
  if (Number(process.versions.node.split('.')[0]) >= RUNTIME_NODE) return process.execPath;
  throw new LaunchError(
    `needs Node ${RUNTIME_NODE} or newer outside a checkout, this is ${process.version}. The release archive brings its own.`,
  );
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

function runToEnd(node, argv) {
  const modules = join(root, 'node_modules');
  const env = {
    ...process.env,
    PATH: [dirname(node), join(modules, '.bin'), process.env.PATH].filter(Boolean).join(delimiter),
    ...(existsSync(modules)
      ? { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'node') }
      : {}),
  };
  const child = spawn(node, argv, { stdio: 'inherit', env });
  // A terminal sends SIGINT to the whole group, the child included: forwarding it would deliver it twice.
  const ignoreInterrupt = () => {};
  const forward = (signal) => child.kill(signal);
  process.on('SIGINT', ignoreInterrupt).on('SIGTERM', forward).on('SIGHUP', forward);
  return new Promise((done, fail) => {
    child.once('error', (error) => fail(new LaunchError(`cannot start ${node}: ${error.code}`)));
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignoreInterrupt).off('SIGTERM', forward).off('SIGHUP', forward);
      process.exitCode = code ?? 128 + constants.signals[signal];
      if (signal !== null) process.kill(process.pid, signal);
      done();
    });
  });
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [entry, ...args] = process.argv.slice(2);
  if (entry === undefined) {
    process.stderr.write('usage: node scripts/run.mjs ENTRY.ts [ARGUMENT…]\n');
    process.exitCode = 2;
  } else await launch(resolve(root, entry), args);
}
