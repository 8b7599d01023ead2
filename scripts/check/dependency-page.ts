import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allDependencies, isOwn, readWorkspaces, type Workspace } from './manifests.ts';

type LockEntry = { version?: string; license?: string };
type Row = { name: string; version: string; licence: string };

const PAGE = 'docs/dependencies.md';

/** Reads the table rows of the page: | `name` | version | licence | why | what it sees |. */
export function pageRows(page: string): Row[] {
  return [...page.matchAll(/^\| `([^`]+)` \| ([^|]+?) \| ([^|]+?) \| [^|]+ \| [^|]+ \|$/gm)].map((match) => ({
    name: match[1] ?? '',
    version: match[2] ?? '',
    licence: match[3] ?? '',
  }));
}

/** Direct dependencies that are not pinned to one exact version everywhere. */
export function loosePins(workspaces: readonly Workspace[]): string[] {
  const seen = new Map<string, string>();
  return workspaces.flatMap(({ folder, manifest }) =>
    allDependencies(manifest).flatMap(([name, version]) => {
      const earlier = seen.get(name) ?? version;
      seen.set(name, version);
      const at = `${folder || '.'}/package.json: ${name}@${version}`;
      if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) return [`${at} is not an exact version`];
      return earlier === version ? [] : [`${at}, elsewhere ${earlier}`];
    }),
  );
}

/** What the page says differently from the manifests and the lock, one line for each difference. */
export function pageDifferences(rows: readonly Row[], direct: ReadonlyMap<string, Row>): string[] {
  const missing = [...direct.values()].filter(({ name }) => !rows.some((row) => row.name === name));
  return [
    ...missing.map(({ name, version, licence }) => `${PAGE}: add a row for \`${name}\` ${version} (${licence})`),
    ...rows.flatMap((row) => {
      const actual = direct.get(row.name);
      if (actual === undefined) return [`${PAGE}: \`${row.name}\` is not a direct dependency any more`];
      if (row.version !== actual.version)
        return [`${PAGE}: \`${row.name}\` is pinned to ${actual.version}, not ${row.version}`];
      return row.licence === actual.licence
        ? []
        : [`${PAGE}: \`${row.name}\` is licensed ${actual.licence}, not ${row.licence}`];
    }),
  ];
}

/** Exact pins everywhere, and a page that names each direct dependency with its version and licence. */
export function checkDependencyPage(checkout: string): string[] {
  const workspaces = readWorkspaces(checkout);
  const lock = JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>;
  };
  const external = workspaces.flatMap(({ manifest }) => allDependencies(manifest)).filter(([name]) => !isOwn(name));
  const direct = new Map(
    external.map(([name, version]) => [
      name,
      { name, version, licence: lock.packages[`node_modules/${name}`]?.license ?? 'unknown' },
    ]),
  );
  return [...loosePins(workspaces), ...pageDifferences(pageRows(readFileSync(join(checkout, PAGE), 'utf8')), direct)];
}
