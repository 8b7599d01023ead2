// Where each role's program lies: TypeScript sources in a checkout, or the bundles of an unpacked release.
import { join, resolve } from 'node:path';

/** The programs of the house. */
export type Role = 'control-plane' | 'custodian' | 'relay' | 'agent' | 'cli';

/** Which programs to run: the checkout's sources, or the bundles below a folder that is laid out as a release. */
export type Entries = { readonly kind: 'source' } | { readonly kind: 'bundle'; readonly folder: string };

/** The checkout. */
export const CHECKOUT = resolve(import.meta.dirname, '../..');

/** Where the test runner says in which folder it has bundled the checkout's programs: they start in less than half the time. */
export const PROGRAMS_VARIABLE = 'RINGFENCE_TEST_PROGRAMS';

/** The checkout's own programs. */
export function ownEntries(): Entries {
  const folder = process.env[PROGRAMS_VARIABLE];
  return folder === undefined ? { kind: 'source' } : { kind: 'bundle', folder };
}

/** The command that runs `role` on Node 24 with `args`. */
export function roleCommand(entries: Entries, role: Role, args: readonly string[]): [string, ...string[]] {
  if (entries.kind === 'bundle')
    return [join(entries.folder, 'bin', role === 'cli' ? 'ringfence' : `ringfence-${role}`), ...args];
  return [process.execPath, join(CHECKOUT, 'apps', role, 'src/main.ts'), ...args];
}
