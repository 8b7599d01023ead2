// `npm run format [-- PATH…]`: writes the one format that `npm run check` accepts.
import { join, resolve } from 'node:path';
import { runTool } from './check/run-tool.ts';

const checkout = resolve(import.meta.dirname, '..');
const { code, stdout, stderr } = await runTool(join(checkout, 'node_modules/.bin/oxfmt'), process.argv.slice(2), {
  cwd: checkout,
});
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = code;
