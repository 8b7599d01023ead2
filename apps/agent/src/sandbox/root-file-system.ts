import type { HostLayout } from './capabilities.ts';
import { HOST_ETC } from './etc-files.ts';
import { SECRETS_BYTES, SECRETS_FOLDER, type SandboxSpec } from './spec.ts';

/**
 * bubblewrap options for the root file system that every sandbox starts from: a list of what is there (programs,
 * libraries, a made-up /etc, fresh /proc, /dev, /tmp), so that a new folder of the host is absent until someone adds it.
 * Never /home, /root, /var, /run, /opt. `etc` maps each made-up file to the descriptor with its content.
 */
export function rootFileSystem(
  layout: HostLayout,
  etc: readonly { readonly fd: number; readonly path: string }[],
  { tmpfsBytes, devices = [], secretsFolder }: Pick<SandboxSpec, 'tmpfsBytes' | 'devices' | 'secretsFolder'>,
): readonly string[] {
  return [
    ['--ro-bind', '/usr', '/usr'],
    ...Object.entries(layout.roots).map(([path, target]) =>
      target === null ? ['--ro-bind', path, path] : ['--symlink', target, path],
    ),
    ...HOST_ETC.map((path) => ['--ro-bind-try', path, path]),
    ['--symlink', '../usr/lib/os-release', '/etc/os-release'],
    ...etc.map(({ fd, path }) => ['--perms', '0644', '--ro-bind-data', String(fd), path]),
    ['--proc', '/proc'],
    ...layout.maskedFiles.map((path) => ['--ro-bind', '/dev/null', path]),
    ...layout.maskedFolders.map((path) => ['--tmpfs', path, '--remount-ro', path]),
    ['--dev', '/dev'],
    ...devices.map(({ hostPath, sandboxPath }) => ['--dev-bind', hostPath, sandboxPath]),
    tmpfs('/dev/shm', tmpfsBytes),
    // Without this the job could fill the machine's memory through the unbounded tmpfs under /dev.
    ['--remount-ro', '/dev'],
    tmpfs('/tmp', tmpfsBytes),
    secretsFolder === true ? tmpfs(SECRETS_FOLDER, SECRETS_BYTES, '0700') : [],
  ].flat();
}

function tmpfs(path: string, bytes: number, mode = '1777'): readonly string[] {
  return ['--perms', mode, '--size', String(bytes), '--tmpfs', path];
}
