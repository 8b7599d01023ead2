// `npm run check`: everything that can be said about the code without running it. Ends with 1 on any problem.
import { join, resolve } from 'node:path';
import { checkAsvsPage } from './check/asvs-page.ts';
import { checkBoundaries } from './check/boundaries.ts';
import { checkDependencyPage } from './check/dependency-page.ts';
import { checkFiles } from './check/file-rules.ts';
import { checkReferences } from './check/project-references.ts';
import { runTool } from './check/run-tool.ts';

type Step = { name: string; problems: () => string[] | Promise<string[]> };

const checkout = resolve(import.meta.dirname, '..');

/**
 * The two checkers of types are Go programs that run beside each other and live for seconds: as many threads as there are cores would check
 * the same types twice, and collecting garbage would be a third of their work. Above the limit it is collected after all.
 */
const FOR_CHECKERS = { GOMAXPROCS: '1', GOGC: 'off', GOMEMLIMIT: '2GiB' };

/** A step that runs a package's command; its whole output is the problem when it fails. */
function tool(name: string, command: string, ...args: string[]): Step {
  const problems = async () => {
    const program = join(checkout, 'node_modules/.bin', command);
    const { code, stdout, stderr } = await runTool(program, args, { cwd: checkout, env: FOR_CHECKERS });
    return code === 0 ? [] : [`${stdout}${stderr}`.trim()];
  };
  return { name, problems };
}

const STEPS: readonly Step[] = [
  // All packages as one project: one by one, as editors and `tsc -b` take them, they are read and checked many times over.
  tool('types', 'tsc', '-p', 'tsconfig.check.json', '--checkers', '1', '--pretty', 'false'),
  // What runs in browsers knows their globals, and none of Node's.
  tool('types of the page', 'tsc', '-p', 'apps/control-plane/src/console/browser', '--pretty', 'false'),
  tool('lint', 'oxlint', '-f', 'agent', '--type-aware', '--deny-warnings', '--report-unused-disable-directives'),
  tool('format', 'oxfmt', '--list-different'),
  { name: 'boundaries', problems: () => checkBoundaries(checkout, join(checkout, 'dependency-rules.cjs')) },
  { name: 'project references', problems: () => checkReferences(checkout) },
  { name: 'files', problems: () => checkFiles(checkout) },
  { name: 'dependency page', problems: () => checkDependencyPage(checkout) },
  { name: 'asvs page', problems: () => checkAsvsPage(checkout) },
];

async function runStep({ name, problems }: Step): Promise<string[]> {
  const start = performance.now();
  const found = await Promise.resolve()
    .then(problems)
    .catch((error: unknown) => [String(error)]);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`  ${name.padEnd(20)}${seconds.padStart(5)} s  ${found.length === 0 ? 'ok' : 'FAILED'}`);
  return found.map((problem) => `${name}: ${problem}`);
}

console.log('check');
const start = performance.now();
const problems = (await Promise.all(STEPS.map(runStep))).flat();
for (const problem of problems) console.log(`\n${problem}`);
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(
  `\n${problems.length === 0 ? 'check passed' : `check failed: ${problems.length} problem(s)`} in ${seconds} s`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
