import { existsSync } from 'node:fs';
import type { MissingLevel, SandboxCapabilities } from '../sandbox/capabilities.ts';
import { HOST_ETC } from '../sandbox/etc-files.ts';
import { missingLevel } from '../sandbox/explain-failure.ts';
import { systemProgram } from '../sandbox/host-layout.ts';
import type { ContainerLevel, OciRuntime } from './container-level.ts';
import { programVersion } from '../sandbox/program-version.ts';

type Found = ContainerLevel | MissingLevel;

/** What level container could be run by, the preferred runtime first; whether one works is for a real run to say. */
export function findContainerRuntimes(capabilities: SandboxCapabilities): readonly Found[] {
  const found = (['runc', 'crun'] as const).flatMap((runtime) => {
    const path = systemProgram(runtime);
    return path === null ? [] : [levelOf(runtime, path, capabilities)];
  });
  if (found.length > 0) return found;
  return [
    missingLevel('runtime-absent', 'neither runc nor crun is installed', 'install one: apt-get install runc, or crun'),
  ];
}

/** What level gvisor could be run by. */
export function findGvisor(capabilities: SandboxCapabilities): readonly Found[] {
  const path = systemProgram('runsc');
  if (path !== null) return [levelOf('runsc', path, capabilities)];
  return [missingLevel('runtime-absent', 'runsc is not installed', 'install gVisor: apt-get install runsc')];
}

function levelOf(runtime: OciRuntime, path: string, { seccomp, tools }: SandboxCapabilities): Found {
  const unshare = systemProgram('unshare');
  if (seccomp === null)
    return missingLevel(
      'seccomp-absent',
      'the kernel has no seccomp filters',
      'use a kernel with CONFIG_SECCOMP_FILTER',
    );
  if (unshare === null || tools.setpriv === null || tools.prlimit === null)
    return missingLevel('tools-absent', 'unshare, setpriv or prlimit is not installed', 'install util-linux');
  const version = programVersion(path, /version[ :]+(\S{1,64})/);
  if (version === null)
    return missingLevel('probe-failed', `${path} --version does not answer`, `reinstall ${runtime}`);
  const etc = HOST_ETC.filter((file) => existsSync(file));
  return { available: true, runtime, path, version, unshare, etc };
}
