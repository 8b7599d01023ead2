import type { SandboxSpec } from './spec.ts';

const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * The variables of a job: PATH (runtimes first, through `locate`), HOME and LANG unless the job names its own, and what it
 * asked for, exactly. The shell or bubblewrap adds PWD.
 */
export function jobEnvironment(
  spec: Pick<SandboxSpec, 'env' | 'runtimes'>,
  locate: (sandboxPath: string) => string,
): Readonly<Record<string, string>> {
  const runtimes = spec.runtimes.map((runtime) => `${locate(runtime.sandboxPath)}/bin:`).join('');
  return { PATH: runtimes + SYSTEM_PATH, HOME: '/tmp', LANG: 'C.UTF-8', ...spec.env };
}
