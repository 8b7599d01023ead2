import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const BROWSER = join(import.meta.dirname, 'browser');

/** Where what is served lies: in a file that a bundle takes along, since browsers read no TypeScript. */
export const GENERATED_PAGE = join(import.meta.dirname, 'generated/account-page.json');

/** The page's three files, its modules as one, as the control plane is to serve them. */
export async function buildPage(): Promise<{ html: string; style: string; script: string }> {
  const { outputFiles } = await build({
    entryPoints: [join(BROWSER, 'main.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'error',
    // Paths of this machine would else stand in comments.
    absWorkingDir: BROWSER,
  });
  const [script] = outputFiles;
  if (script === undefined || outputFiles.length !== 1) throw new Error('the page has one script');
  const text = (name: string): string => readFileSync(join(BROWSER, name), 'utf8');
  return { html: text('account.html'), style: text('account.css'), script: script.text };
}
