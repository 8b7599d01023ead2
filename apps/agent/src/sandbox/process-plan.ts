import { Secret } from '@ringfence/base';
import type { SandboxCapabilities } from './capabilities.ts';
import { atHostPaths, hostPathOf } from './host-paths.ts';
import { jobEnvironment } from './job-environment.ts';
import type { Launch } from './launch.ts';
import { prlimitPrefix, processLimitPrefix } from './rlimits.ts';
import type { SandboxSpec } from './spec.ts';

const GATE_FD = 3;
/** Waits for the agent's word; end of file, as when the agent died, is a no. */
const GATE = 'IFS= read -r word <&3 && [ "$word" = go ] && exec 3<&- && exec "$@"';
const SCRIPT_FD = 4;
/** Stands behind the script, so that one cut short by the death of the agent does nothing. */
const SCRIPT_END = '#ringfence: all of it';
/** Reads the script, which may hold secrets, in the job's own shell: no argument, and no environment of what starts that shell, ever has it. */
const SCRIPT = [
  `script=$(exec /bin/cat <&${SCRIPT_FD}); exec ${SCRIPT_FD}<&-`,
  `case $script in *'${SCRIPT_END}') ;; *) exit 125 ;; esac`,
  `eval "\${script%?${SCRIPT_END}}"`,
].join('\n');

/**
 * Level process: a shell that waits until the agent has put it in its cgroup and recorded it, then becomes the command.
 * No isolation but the host user, no new privileges, and death of the first process with the agent. Mount paths in
 * the command stand for host paths.
 */
export function planProcess(spec: SandboxSpec, capabilities: SandboxCapabilities): Launch {
  const { tools, users } = capabilities;
  const places = [...spec.mounts, ...spec.runtimes];
  const onHost = (words: string) => atHostPaths(words, places);
  const script = 'script' in spec.command ? onHost(spec.command.script) : null;
  const command = 'script' in spec.command ? ['/bin/sh', '-ec', SCRIPT] : spec.command.map(onHost);
  const environment = jobEnvironment(spec, (path) => hostPathOf(path, places) ?? path);
  return {
    program: '/bin/sh',
    argv: [
      '-c',
      GATE,
      'ringfence-gate',
      ...prlimitPrefix(spec, capabilities),
      ...(users.kind === 'dedicated' ? processLimitPrefix(spec, capabilities, 0) : []),
      ...(tools.setpriv === null ? [] : [tools.setpriv, '--no-new-privs', '--pdeathsig', 'KILL', '--']),
      ...(tools.env === null ? [] : [tools.env, ...shellVariables(spec), '--']),
      ...command,
    ],
    inputs: [
      ...(script === null ? [] : [{ fd: SCRIPT_FD, bytes: new Secret(Buffer.from(`${script}\n${SCRIPT_END}`)) }]),
      { fd: GATE_FD, bytes: new Secret(Buffer.from('go\n')) },
    ],
    statusFd: null,
    environment: new Secret(Buffer.from(block(environment))),
    workingFolder: hostPathOf(spec.cwd, spec.mounts),
    scratchVariables: ['HOME', 'TMPDIR'].filter((name) => spec.env[name] === undefined),
  };
}

/** bash, where it is /bin/sh, exports these on its own. */
function shellVariables(spec: SandboxSpec): readonly string[] {
  return ['OLDPWD', 'SHLVL', '_'].filter((name) => spec.env[name] === undefined).flatMap((name) => ['-u', name]);
}

function block(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${value}\0`)
    .join('');
}
