import { contains } from './check-spec.ts';

interface PlacedMount {
  readonly hostPath: string;
  readonly sandboxPath: string;
}

/**
 * `text` of a command with every mount path that stands on its own replaced by its host path: level process has no
 * mount namespace. Paths that a program holds elsewhere are not found; NOT_PROTECTED says so.
 */
export function atHostPaths(text: string, mounts: readonly PlacedMount[]): string {
  const host = new Map(mounts.map((mount) => [mount.sandboxPath, mount.hostPath]));
  // One pass over all mounts, longest first: a host path that was put in is never read again as a mount path.
  const longestFirst = [...host.keys()].toSorted((a, b) => b.length - a.length).map(literally);
  if (longestFirst.length === 0) return text;
  const standing = new RegExp(String.raw`(?<![\w./~-])(?:${longestFirst.join('|')})(?![\w.-])`, 'g');
  return text.replace(standing, (path) => host.get(path) ?? path);
}

/** Where the sandbox path `path` lies on the host, or null when no mount holds it. */
export function hostPathOf(path: string, mounts: readonly PlacedMount[]): string | null {
  const mount = mounts
    .filter((candidate) => contains(candidate.sandboxPath, path))
    .toSorted((a, b) => b.sandboxPath.length - a.sandboxPath.length)[0];
  return mount === undefined ? null : mount.hostPath + path.slice(mount.sandboxPath.length);
}

function literally(path: string): string {
  return path.replace(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}
