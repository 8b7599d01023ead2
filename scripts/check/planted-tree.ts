import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { cruise, CRUISED_FOLDERS, type Violation } from './cruise.ts';
import type { PlantedImport } from './planted-breaches.ts';

const PACKAGE_FOLDERS = ['core', 'engines', 'apps'];
const NOT_SOURCE = ['node_modules', 'dist', '.ringfence'];

/** Copies the sources to a temporary tree, writes the planted files into it, cruises it and removes it again. */
export async function cruisePlanted(
  { checkout, leftOut }: { checkout: string; leftOut: RegExp | undefined },
  rules: string,
  planted: readonly PlantedImport[],
): Promise<Violation[]> {
  const tree = mkdtempSync(join(tmpdir(), 'ringfence-planted-'));
  try {
    for (const folder of CRUISED_FOLDERS.filter((name) => existsSync(join(checkout, name)))) {
      const isSource = (path: string) => !NOT_SOURCE.includes(basename(path)) && leftOut?.test(path) !== true;
      cpSync(join(checkout, folder), join(tree, folder), { recursive: true, filter: isSource });
    }
    for (const [path, source] of planted.flatMap(({ files }) => Object.entries(files))) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), source);
    }
    cpSync(join(checkout, 'package.json'), join(tree, 'package.json'));
    linkModules(checkout, tree);
    return await cruise(checkout, rules, tree);
  } finally {
    rmSync(tree, { recursive: true });
  }
}

/** Gives the tree a node_modules whose workspace links point into the tree itself, all others into the checkout. */
function linkModules(checkout: string, tree: string): void {
  mkdirSync(join(tree, 'node_modules', '@ringfence'), { recursive: true });
  for (const name of readdirSync(join(checkout, 'node_modules'))) {
    if (name === '@ringfence' || name.startsWith('.')) continue;
    symlinkSync(join(checkout, 'node_modules', name), join(tree, 'node_modules', name));
  }
  for (const folder of PACKAGE_FOLDERS.filter((name) => existsSync(join(tree, name)))) {
    for (const child of readdirSync(join(tree, folder))) {
      const manifest = join(tree, folder, child, 'package.json');
      if (!existsSync(manifest)) continue;
      const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name: string };
      symlinkSync(join(tree, folder, child), join(tree, 'node_modules', name));
    }
  }
}
