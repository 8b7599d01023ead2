import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The licence texts of the named packages of `modules` (a node_modules folder), as one text in the order of the names. */
export function licenceTexts(modules: string, names: readonly string[]): string {
  return names.map((name) => `${name}\n${'='.repeat(name.length)}\n\n${licenceOf(join(modules, name))}\n\n`).join('');
}

function licenceOf(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e(\.(md|txt))?$/i.test(name));
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8').trim();
  const manifest = join(folder, 'package.json');
  const { license } = existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')) as { license?: string }) : {};
  if (license === undefined) throw new Error(`${folder} names no licence; it cannot be shipped`);
  return `Licensed under ${license}; the package carries no further text.`;
}
