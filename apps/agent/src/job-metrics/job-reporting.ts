import { join } from 'node:path';
import type { Mount, SandboxLevel } from '../sandbox/index.ts';
import { PIPE_FOLDER, PIPE_NAME } from './metric-pipe.ts';
import { PYTHON_FOLDER, SDK_FOLDER } from './sdk-copy.ts';

/** What is added to a job so that it can report. */
export interface JobReporting {
  readonly mounts: readonly Mount[];
  /** All variables of the job, those that it asked for included. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Mounts and variables with which a job reports metrics. `pipe` and `sdk` are folders of the host; without an SDK the job still has the pipe.
 * Level process has no mounts, so there the variables name the host's paths.
 */
export function jobReporting(
  wish: { readonly pipe: string; readonly sdk: string | null; readonly level: SandboxLevel },
  env: Readonly<Record<string, string>>,
): JobReporting {
  // gVisor alone keeps pipes in a read-only mount from being written.
  const mode = wish.level === 'gvisor' ? 'rw' : 'ro';
  const pipe: Mount = { hostPath: wish.pipe, sandboxPath: PIPE_FOLDER, mode };
  const seen = ({ hostPath, sandboxPath }: Mount): string => (wish.level === 'process' ? hostPath : sandboxPath);
  const metrics = { RINGFENCE_METRICS: join(seen(pipe), PIPE_NAME) };
  if (wish.sdk === null) return { mounts: [pipe], env: { ...env, ...metrics } };
  const sdk: Mount = { hostPath: wish.sdk, sandboxPath: SDK_FOLDER, mode: 'ro' };
  // Last: a module of the job's own by that name comes first.
  const python = [env['PYTHONPATH'], join(seen(sdk), PYTHON_FOLDER)].filter(
    (path) => path !== undefined && path !== '',
  );
  return {
    mounts: [pipe, sdk],
    env: { ...env, ...metrics, RINGFENCE_SDK: seen(sdk), PYTHONPATH: python.join(':') },
  };
}
