import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './run-tool.ts';

/** One import that breaks a rule of dependency-rules.cjs; paths are relative to the cruised tree, `via` lists the hops between. */
export type Violation = { rule: string; from: string; to: string; via: readonly string[] };

/** Folders whose imports are checked; `core`, `engines` and `apps` are bound by arrows, the others only have to resolve. */
export const CRUISED_FOLDERS = ['core', 'engines', 'apps', 'scripts', 'tests', 'bench', 'examples'] as const;

type CruiseResult = {
  summary: {
    violations: {
      from: string;
      to: string;
      rule: { name: string };
      via?: { name: string }[];
      cycle?: { name: string }[];
    }[];
  };
};

/** Runs dependency-cruiser over the tree at `root` with the rules in file `rules`; throws when the tool itself fails. */
export async function violations(checkout: string, rules: string, root = checkout): Promise<Violation[]> {
  const bin = join(checkout, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const folders = CRUISED_FOLDERS.filter((folder) => existsSync(join(root, folder)));
  const argv = [
    '--import',
    join(import.meta.dirname, 'swc-using.mjs'),
    bin,
    '--config',
    rules,
    '--output-type',
    'json',
    ...folders,
  ];
  const { stdout, stderr } = await runTool(process.execPath, argv, root);
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser printed no result: ${stderr.trim()}`);
  const result = JSON.parse(stdout) as CruiseResult;
  return result.summary.violations.map(({ rule, from, to, via, cycle }) => ({
    rule: rule.name,
    from,
    to,
    via: (via ?? cycle ?? []).map((hop) => hop.name).slice(0, -1),
  }));
}

/** The checkout's own broken arrows, one readable line each. */
export async function checkBoundaries(checkout: string): Promise<string[]> {
  const found = await violations(checkout, join(checkout, 'dependency-rules.cjs'));
  return found.map(({ rule, from, to, via }) => `${rule}: ${[from, ...via, to].join(' → ')}`);
}
