import type { ContainerLevel, OciRuntime } from './container-level.ts';

/** A file that is written into the private root of a container. */
export interface RootFile {
  readonly path: string;
  readonly text: string;
  readonly mode: '0444' | '0644';
}

/** What the script around a container is told. */
export interface ContainerScript {
  readonly level: ContainerLevel;
  /** The runtime's configuration, as text; it may hold secrets. */
  readonly config: string;
  readonly folders: readonly string[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
  readonly files: readonly RootFile[];
  /** Where the script reports, as `{"child-pid": …}` and `{"exit-code": …}`. */
  readonly statusFd: number;
}

/** Where, in a mount namespace that nobody else sees, the bundle lies. */
const HERE = '/run';
/** The root file system in its bundle. */
export const ROOT_PATH = `${HERE}/bundle/rootfs`;
/** What is written into the bundle: configuration, script, a few files of /etc. */
const BUNDLE_BYTES = 16_777_216;

/**
 * Shell text that makes a bundle on a tmpfs of its own mount namespace and runs it: no file on disk holds a secret, and everything goes with
 * the last process. Only the last line starts anything, so text cut short by the death of the agent does nothing.
 */
export function containerScript(script: ContainerScript): string {
  const { level, folders, links, files, config } = script;
  const inRoot = (path: string) => quoted(ROOT_PATH + path);
  return [
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH; umask 022',
    'main() {',
    `mount -t tmpfs -o mode=0700,size=${BUNDLE_BYTES} tmpfs ${HERE} || exit 125`,
    `mkdir -p ${ROOT_PATH} ${HERE}/state || exit 125`,
    ...folders.map((path) => `mkdir -p ${inRoot(path)} || exit 125`),
    ...links.map(({ path, target }) => `ln -s -- ${quoted(target)} ${inRoot(path)} || exit 125`),
    ...files.flatMap(({ path, text, mode }) => [
      `mkdir -p ${inRoot(path.slice(0, path.lastIndexOf('/')))} || exit 125`,
      ...writeFile(ROOT_PATH + path, text),
      `chmod ${mode} ${inRoot(path)} || exit 125`,
    ]),
    ...writeFile(`${HERE}/bundle/config.json`, config),
    // runsc names a socket of the whole machine by it: two containers of one name are never up at once.
    'read -r id </proc/sys/kernel/random/uuid || exit 125',
    ...runtimeLines(level, script.statusFd),
    'exit "$code"',
    '}',
    'main',
    '',
  ].join('\n');
}

function runtimeLines(level: ContainerLevel, fd: number): readonly string[] {
  const command = runtimeCommand(level);
  // runsc has a process before it knows whether the program can be started, and says that it cannot in its log.
  const begun = level.runtime === 'runsc' ? `! [ -s ${HERE}/runsc.log ]` : `[ -s ${HERE}/pid ]`;
  const run = `${command} run --bundle ${HERE}/bundle --pid-file ${HERE}/pid "$id" </dev/null 3<&- 4<&- ${fd}>&-`;
  const report = `${begun} && printf '{"exit-code": %d}\\n' "$code" >&${fd}`;
  if (level.runtime !== 'runsc')
    return [
      // crun refuses machines with both cgroup versions mounted, and needs neither: the agent made the cgroup.
      ...(level.runtime === 'crun' ? ['mount -t tmpfs tmpfs /sys/fs/cgroup || exit 125'] : []),
      run,
      'code=$?',
      report,
    ];
  return [
    // Processes inside gVisor are none of the host's: a signal reaches them through its own kernel.
    `trap 'until ${command} kill --all "$id" TERM >/dev/null 2>&1; do [ -d "/proc/$child" ] || break; sleep 0.05; done' TERM`,
    `${run} &`,
    'child=$!',
    `printf '{"child-pid": %d}\\n' "$child" >&${fd}`,
    'while :; do wait "$child"; code=$?; kill -0 "$child" 2>/dev/null || break; done',
    report,
  ];
}

const FLAGS: Readonly<Record<OciRuntime, string>> = {
  runc: '',
  crun: '--cgroup-manager=disabled',
  // The cgroup is the agent's; ptrace works on every machine, and sockets and pipes of the host only where a mount shows them.
  runsc:
    '--rootless --platform=ptrace --network=none --ignore-cgroups --host-uds=all --host-fifo=open --log=/run/runsc.log',
};

function runtimeCommand({ path, runtime }: ContainerLevel): string {
  return `${quoted(path)} --root ${HERE}/state ${FLAGS[runtime]}`;
}

/** A here-document takes text as it is; its end mark is one that the text does not hold. */
function writeFile(path: string, text: string): readonly string[] {
  let mark = 'RINGFENCE_END';
  while (text.includes(mark)) mark += '_';
  return [`cat >${quoted(path)} <<'${mark}' || exit 125`, text, mark];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
