import { posix } from 'node:path';
import { INIT_FOLDER, PROXY_PORT } from '../sandbox-init/places.ts';
import type { SandboxCapabilities } from './capabilities.ts';
import type { PlanRefusal } from './plan-refusal.ts';
import type { Mount, SandboxLimits, SandboxSpec } from './spec.ts';

/** Variables that the sandbox itself sets and that a job may not choose. */
const RESERVED_VARIABLES: ReadonlySet<string> = new Set(['RINGFENCE_SANDBOX', 'RINGFENCE_SCRIPT', 'PWD']);
/** Where a sandbox keeps what its root file system is made of; no mount may cover it. */
const OWN_FOLDERS = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc',
  '/proc',
  '/sys',
  '/dev',
  INIT_FOLDER,
];
/** Host folders that describe or steer the machine; no job ever sees them. */
const FORBIDDEN_SOURCES = ['/proc', '/sys', '/dev', '/etc', '/boot'];
/** One pipe write must carry it (see bubblewrap-plan.ts), and one string of an environment holds 128 KiB at most. */
const MOST_BYTES = 120 * 1024;

/** Every reason why `spec` cannot become a plan on this machine, all at once; empty when there is none. */
export function checkSpec(spec: SandboxSpec, capabilities: SandboxCapabilities): readonly PlanRefusal[] {
  return [
    ...checkLevel(spec, capabilities),
    ...checkCommand(spec),
    ...checkEnvironment(spec.env),
    ...checkMounts(spec),
    ...checkNetwork(spec),
    ...checkDevices(spec),
    ...check(
      'mount',
      'secretsFolder',
      spec.secretsFolder !== true || spec.level !== 'process',
      'level sandbox or better',
    ),
    ...checkLimits(spec.limits, capabilities),
    ...check(
      'hostname',
      'hostname',
      /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(spec.hostname),
      'a host name of 1 to 63 letters, digits and hyphens',
    ),
    ...check('limit', 'tmpfsBytes', isPositive(spec.tmpfsBytes), 'a positive number of bytes'),
    ...check('limit', 'maxDurationMs', isPositiveOrAbsent(spec.maxDurationMs), 'a positive number of milliseconds'),
  ];
}

function check(code: PlanRefusal['code'], at: string, holds: boolean, wanted: string): readonly PlanRefusal[] {
  return holds ? [] : [{ code, at, reason: `needs ${wanted}` }];
}

function checkLevel(spec: SandboxSpec, capabilities: SandboxCapabilities): readonly PlanRefusal[] {
  const slots = capabilities.users.kind === 'dedicated' ? capabilities.users.slots : 4096;
  const slot = check(
    'slot',
    'slot',
    Number.isInteger(spec.slot) && spec.slot >= 0 && spec.slot < slots,
    `a whole number from 0 to ${slots - 1}`,
  );
  const level = capabilities[spec.level];
  if (!level.available) return [...slot, { code: 'level-missing', at: 'level', reason: level.reason }];
  if (spec.level !== 'process' && capabilities.seccomp === null)
    return [...slot, { code: 'level-missing', at: 'level', reason: 'the kernel has no seccomp filter' }];
  return slot;
}

function checkCommand(spec: SandboxSpec): readonly PlanRefusal[] {
  const words = 'script' in spec.command ? [spec.command.script] : spec.command;
  const size = words.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0);
  return [
    ...check('command', 'command', words.length > 0 && words[0] !== '', 'a program or a script'),
    ...check('command', 'command', !words.some((word) => word.includes('\0')), 'text without NUL'),
    ...check('too-large', 'command', size <= MOST_BYTES, `at most ${MOST_BYTES} bytes`),
  ];
}

function checkEnvironment(env: Readonly<Record<string, string>>): readonly PlanRefusal[] {
  const entries = Object.entries(env);
  const size = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 10, 0);
  const named = ([name, value]: readonly [string, string]) =>
    /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name) && !RESERVED_VARIABLES.has(name) && !value.includes('\0');
  return [
    ...check(
      'environment',
      'env',
      entries.every(named),
      'variable names that are not reserved, and values without NUL',
    ),
    ...check('too-large', 'env', size <= MOST_BYTES, `at most ${MOST_BYTES} bytes`),
  ];
}

function checkMounts(spec: SandboxSpec): readonly PlanRefusal[] {
  const mounts: readonly Mount[] = [
    ...spec.mounts,
    ...spec.runtimes.map((runtime) => ({ ...runtime, mode: 'ro' as const })),
  ];
  const places = mounts.map((mount) => mount.sandboxPath);
  const within = spec.mounts.some((mount) => contains(mount.sandboxPath, spec.cwd));
  return [
    ...mounts.flatMap((mount, index) => checkMount(mount, `mounts[${index}]`, spec.level === 'process')),
    ...check('mount', 'mounts', new Set(places).size === places.length, 'a different sandbox path for each mount'),
    ...check(
      'cwd',
      'cwd',
      // Whatever an image holds is there before the job, and the root is read-only.
      (isNormal(spec.cwd) && (within || spec.cwd === '/tmp' || spec.root !== undefined)) || isImageTop(spec),
      'a normalised path in a mount, or /tmp',
    ),
  ];
}

function checkMount(mount: Mount, at: string, unquoted: boolean): readonly PlanRefusal[] {
  const own = OWN_FOLDERS.some((folder) => contains(folder, mount.sandboxPath));
  const forbidden = FORBIDDEN_SOURCES.some((folder) => contains(folder, mount.hostPath));
  return [
    ...check('mount', `${at}.sandboxPath`, isNormal(mount.sandboxPath), 'an absolute, normalised path'),
    ...check('mount', `${at}.sandboxPath`, !own && mount.sandboxPath !== '/tmp', 'a place outside the system folders'),
    ...check('mount', `${at}.hostPath`, isNormal(mount.hostPath), 'an absolute, normalised path'),
    ...check('mount', `${at}.hostPath`, !forbidden, 'a path outside the folders that describe the machine'),
    // Level process writes host paths into the command line, where a shell would read anything else as its own syntax.
    ...check(
      'mount',
      `${at}.hostPath`,
      !unquoted || /^[A-Za-z0-9_./@%+=:,-]+$/.test(mount.hostPath),
      'a path without spaces or shell characters at level process',
    ),
  ];
}

function checkNetwork({ network }: SandboxSpec): readonly PlanRefusal[] {
  if (network === 'none' || network.inbound === undefined) return [];
  const { port } = network.inbound;
  const free = network.egress === undefined || port !== PROXY_PORT;
  return [
    ...check(
      'network',
      'network.inbound.port',
      Number.isInteger(port) && port >= 1024 && port <= 65_535,
      '1024 to 65535',
    ),
    ...check('network', 'network.inbound.port', free, `another port than ${PROXY_PORT}, where the job finds its proxy`),
  ];
}

/** Containers have no driver libraries for the cards of the host: their jobs would find none. */
function checkDevices({ devices = [], level }: SandboxSpec): readonly PlanRefusal[] {
  const named = devices.every(
    ({ hostPath, sandboxPath }) => isNormal(hostPath) && /^\/dev\/nvidia[a-z0-9-]{0,32}$/.test(sandboxPath),
  );
  const passes = devices.length === 0 || level === 'process' || level === 'sandbox';
  return [
    ...check('device', 'devices', named, 'nodes of graphics cards and no others'),
    ...check('device', 'devices', passes, 'level sandbox: no graphics cards are passed to containers yet'),
  ];
}

function checkLimits(limits: SandboxLimits, capabilities: SandboxCapabilities): readonly PlanRefusal[] {
  const { memoryBytes, cpus, pids, diskBytes, openFiles } = limits;
  const hard = limits.hardMemory !== true || memoryBytes === undefined || capabilities.limits.memory === 'hard';
  return [
    ...check('limit', 'limits.cpus', cpus === undefined || (cpus >= 0.01 && cpus <= 4096), '0.01 to 4096 cores'),
    ...Object.entries({ memoryBytes, pids, diskBytes, openFiles }).flatMap(([name, value]) =>
      check('limit', `limits.${name}`, isPositiveOrAbsent(value), 'a positive whole number'),
    ),
    ...(hard
      ? []
      : [
          {
            code: 'limit-not-enforceable' as const,
            at: 'limits.memoryBytes',
            reason: 'this machine cannot enforce a hard memory limit',
          },
        ]),
  ];
}

/** Whether `path` is `folder` or lies below it, both normalised. */
export function contains(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function isNormal(path: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  return path.startsWith('/') && path !== '/' && posix.normalize(path) === path && !/[\x00-\x1f\x7f]|\/$/.test(path);
}

function isImageTop({ root, cwd }: SandboxSpec): boolean {
  return root !== undefined && cwd === '/';
}

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function isPositiveOrAbsent(value: number | undefined): boolean {
  return value === undefined || isPositive(value);
}
