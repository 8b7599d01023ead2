import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './run-tool.ts';

/** One import that breaks a rule; paths are relative to the cruised tree, `via` lists the hops between. */
export type Violation = { rule: string; from: string; to: string; via: readonly string[] };

/** Folders whose imports are checked; `core`, `engines` and `apps` are bound by arrows, the others only have to resolve. */
export const CRUISED_FOLDERS = ['core', 'engines', 'apps', 'scripts', 'tests', 'bench', 'examples', 'sdk'] as const;

/** Syntax trees come and go by the gigabyte: a large young generation spares a tenth of the time. */
const LIVES_FOR_SECONDS = ['--max-semi-space-size=64'];

type Hop = { name: string };
type CruiseResult = {
  summary: { violations: { from: string; to: string; rule: Hop; via?: Hop[]; cycle?: Hop[] }[] };
};

/** Runs dependency-cruiser (of `checkout`) over `tree` with the rules in file `rules`; throws when the tool itself fails. */
export async function cruise(checkout: string, rules: string, tree: string): Promise<Violation[]> {
  const bin = join(checkout, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const folders = CRUISED_FOLDERS.filter((folder) => existsSync(join(tree, folder)));
  const preload = ['--import', join(import.meta.dirname, 'swc-using.mjs')];
  const argv = [...LIVES_FOR_SECONDS, ...preload, bin, '--config', rules, '--output-type', 'json', ...folders];
  const { stdout, stderr } = await runTool(process.execPath, argv, { cwd: tree });
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser printed no result: ${stderr.trim()}`);
  const result = JSON.parse(stdout) as CruiseResult;
  return result.summary.violations.map(({ rule, from, to, via, cycle }) => ({
    rule: rule.name,
    from,
    to,
    via: (via ?? cycle ?? []).map((hop) => hop.name).slice(0, -1),
  }));
}
