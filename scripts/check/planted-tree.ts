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
import { violations, type Violation } from './boundaries.ts';
import type { PlantedImport } from './planted-breaches.ts';

const PACKAGE_FOLDERS = ['core', 'engines', 'apps'];

/** Copies the product's sources to a temporary tree, writes the planted files, cruises it and removes it again. */
async function cruisePlanted(checkout: string, rules: string, planted: readonly PlantedImport[]): Promise<Violation[]> {
  const tree = mkdtempSync(join(tmpdir(), 'ringfence-planted-'));
  try {
    for (const folder of PACKAGE_FOLDERS.filter((name) => existsSync(join(checkout, name)))) {
      const copied = (path: string) => !['node_modules', 'dist'].includes(basename(path));
      cpSync(join(checkout, folder), join(tree, folder), { recursive: true, filter: copied });
    }
    for (const [path, source] of planted.flatMap(({ files }) => Object.entries(files))) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), source);
    }
    linkModules(checkout, tree);
    return await violations(checkout, rules, tree);
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

/**
 * Plants every import in a temporary copy of `checkout` and lists what `rules` (path of a rules file) got wrong:
 * breaches not reported, allowed imports reported, and rules for which no breach is planted.
 */
export async function checkPlanted(
  checkout: string,
  rules: string,
  planted: readonly PlantedImport[],
): Promise<string[]> {
  const found = await cruisePlanted(checkout, rules, planted);
  const { default: config } = (await import(rules)) as { default: { forbidden: { name: string }[] } };
  const unproven = config.forbidden.filter(({ name }) => !planted.some(({ rule, broken }) => broken && rule === name));
  const wrong = planted.filter(
    ({ rule, at, broken }) => found.some((violation) => violation.rule === rule && violation.from === at) !== broken,
  );
  return [
    ...unproven.map(({ name }) => `${name}: no breach of this rule is planted; add one to planted-breaches.ts`),
    ...wrong.map(
      ({ rule, at, broken }) => `${rule}: ${broken ? 'did not find the breach' : 'refused the allowed import'} ${at}`,
    ),
  ];
}
