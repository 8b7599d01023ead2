import { utf8 } from '@ringfence/base';
import type { EntryHead } from '@ringfence/protocol/payload';
import type { HostIdentity, SandboxCapabilities } from '../sandbox/capabilities.ts';
import { JOB_ID } from '../sandbox/etc-files.ts';
import { seccompFilter } from '../sandbox/seccomp.ts';
import { JOINED } from './namespaces.ts';

/** What is started to enter a sandbox, and what it reads from its descriptors. */
export interface EntryLaunch {
  readonly argv: readonly [string, ...string[]];
  /** By descriptor, from 3 on; the gate is written last. Descriptors of the namespaces follow. */
  readonly inputs: readonly Uint8Array[];
}

const GATE_FD = 3;
const FILTER_FD = 4;
const OPTIONS_FD = 5;
const FIRST_NAMESPACE_FD = 6;
/** What enters inherits three streams and nothing else; a shell names descriptors by one digit. */
const COMMAND = 'exec 6<&- 7<&- 8<&- 9<&-; script=$RINGFENCE_SCRIPT; unset RINGFENCE_SCRIPT; eval "$script"';
/** Waits until the agent has put it into the job's cgroup; end of file, as when the agent died, is a no. */
const GATE = `IFS= read -r word <&${GATE_FD} && [ "$word" = go ] && exec ${GATE_FD}<&- && exec "$@"`;

/**
 * nsenter joins the namespaces that follow the inputs (JOINED) as the job's own host user, and bubblewrap inside them takes every capability,
 * sets no-new-privileges and loads the filter that every job has: what enters can do what the job can, and no more. It is no child
 * of the sandbox's first process, but ends with its process namespace. Words of the command travel in a descriptor, not in arguments; they may be as long as one variable, 128 KiB.
 */
export function entryLaunch(
  head: EntryHead,
  into: { readonly user: HostIdentity; readonly cwd: string },
  { sandbox, seccomp, tools }: Pick<SandboxCapabilities, 'sandbox' | 'seccomp' | 'tools'>,
): EntryLaunch {
  if (!sandbox.available || seccomp === null) throw new TypeError('only level sandbox is entered');
  const { user, cwd } = into;
  const joined = Object.values(JOINED).map((name, index) => `--${name}=/proc/self/fd/${FIRST_NAMESPACE_FD + index}`);
  const limits = tools.prlimit === null ? [] : [tools.prlimit, '--core=1:1', '--'];
  const gate = ['-c', GATE, 'ringfence-enter', ...limits];
  const join = ['nsenter', ...joined, '--setuid', String(user.uid), '--setgid', String(user.gid), '--'];
  const command = [sandbox.path, '--args', String(OPTIONS_FD), '--', '/bin/sh', '-c', COMMAND];
  const options = [
    ['--unshare-user', '--uid', String(JOB_ID), '--gid', String(JOB_ID), '--disable-userns'],
    ['--cap-drop', 'ALL', '--die-with-parent', '--new-session', '--seccomp', String(FILTER_FD)],
    ['--dev-bind', '/', '/', '--chdir', cwd],
    ['--clearenv', '--setenv', 'PATH', '/usr/local/bin:/usr/bin:/bin', '--setenv', 'HOME', '/tmp'],
    ['--setenv', 'LANG', 'C.UTF-8', '--setenv', 'RINGFENCE_SCRIPT', commandOf(head)],
    ['--unshare-uts', '--hostname', 'job', '--unshare-cgroup-try'],
  ].flat();
  return {
    argv: ['/bin/sh', ...gate, ...join, ...command],
    inputs: [utf8('go\n'), seccompFilter(seccomp), utf8(options.map((option) => `${option}\0`).join(''))],
  };
}

function commandOf(head: EntryHead): string {
  if (head.kind === 'exec') return `exec ${head.argv.map(quote).join(' ')}`;
  if (head.kind === 'copy-out') return `exec cat < ${quote(head.path)}`;
  return `exec cat > ${quote(head.path)}`;
}

/** Between single quotes a shell changes nothing (POSIX, Shell Command Language 2.2.2). */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
