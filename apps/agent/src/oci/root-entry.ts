import type { HostLayout } from '../sandbox/capabilities.ts';

/** One name in the root file system of a container. Nothing of it can be written by the job. */
export type RootEntry =
  | { readonly kind: 'bind'; readonly path: string; readonly hostPath: string }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** The site's default root file system, the same list of the host's parts as at level sandbox; `etc` are those of /etc that exist. */
export function siteRoot(layout: HostLayout, etc: readonly string[]): readonly RootEntry[] {
  return [
    { kind: 'bind', path: '/usr', hostPath: '/usr' },
    ...Object.entries(layout.roots).map(([path, target]): RootEntry =>
      target === null ? { kind: 'bind', path, hostPath: path } : { kind: 'link', path, target },
    ),
    { kind: 'folder', path: '/etc' },
    ...etc.map((path): RootEntry => ({ kind: 'bind', path, hostPath: path })),
    { kind: 'link', path: '/etc/os-release', target: '../usr/lib/os-release' },
  ];
}
