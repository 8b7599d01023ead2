import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { allDependencies, isOwn, readWorkspaces } from './manifests.ts';

type ProjectFile = { references?: { path: string }[] };

/** Compares two sets of folders and words the difference for the project file at `file`. */
function differences(file: string, wanted: readonly string[], given: readonly string[]): string[] {
  return [
    ...wanted.filter((path) => !given.includes(path)).map((path) => `${file}: add { "path": "${path}" } to references`),
    ...given.filter((path) => !wanted.includes(path)).map((path) => `${file}: remove reference "${path}"`),
  ];
}

function references(checkout: string, folder: string): string[] | null {
  const file = join(checkout, folder, 'tsconfig.json');
  if (!existsSync(file)) return null;
  const project = JSON.parse(readFileSync(file, 'utf8')) as ProjectFile;
  return (project.references ?? []).map(({ path }) => path);
}

/** The project that every test may reference beside its package's own dependencies: the list of test needs. */
const TEST_NEEDS = /(^|\/)scripts\/tsconfig\.needs\.json$/;

/** Each tsconfig.json references exactly the packages that its package.json depends on; the root one references all. */
export function checkReferences(checkout: string): string[] {
  const [, ...packages] = readWorkspaces(checkout);
  const folderOf = new Map(packages.map(({ manifest, folder }) => [manifest.name, folder]));
  const perPackage = packages.flatMap(({ folder, manifest }) => {
    const given = references(checkout, folder);
    if (given === null) return [`${folder}: has no tsconfig.json; imitate core/crypto/tsconfig.json`];
    const own = allDependencies(manifest)
      .map(([name]) => name)
      .filter(isOwn);
    const wanted = own.map((name) => posix.relative(folder, folderOf.get(name) ?? name));
    return differences(
      `${folder}/tsconfig.json`,
      wanted,
      given.filter((path) => !TEST_NEEDS.test(path)),
    );
  });
  const given = (references(checkout, '') ?? []).filter((path) => !TEST_NEEDS.test(path));
  return [
    ...perPackage,
    ...differences(
      'tsconfig.json',
      packages.map(({ folder }) => folder),
      given,
    ),
  ];
}
