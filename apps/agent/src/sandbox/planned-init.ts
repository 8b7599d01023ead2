import { initLaunch, type InitLaunch } from '../sandbox-init/init-launch.ts';
import { jobEnvironment } from './job-environment.ts';
import { hasInit } from './network.ts';
import type { SandboxSpec } from './spec.ts';

/** The init in front of the command of `spec`; null for a job that has nothing of a network. */
export function initOf(spec: SandboxSpec): InitLaunch | null {
  const { network } = spec;
  if (network === 'none' || !hasInit(spec)) return null;
  const env = { PWD: spec.cwd, ...jobEnvironment(spec, (path) => path) };
  return initLaunch({ ...network, env });
}
