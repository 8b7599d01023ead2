import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';

/** The programs that come with the CLI and run on the same machine. */
export type Sibling = 'agent' | 'custodian';

/** The command that starts a sibling: its sources in a checkout, its launcher beside ours in a release. */
export function siblingCommand(sibling: Sibling, args: readonly string[]): [string, ...string[]] {
  const own = process.argv[1] ?? '.';
  // Told by what we are ourselves, never by what lies two folders above a release: that may be anybody's.
  if (own.endsWith('.ts')) return [process.execPath, resolve(dirname(own), '../..', sibling, 'src/main.ts'), ...args];
  return [resolve(dirname(own), '../bin', `ringfence-${sibling}`), ...args];
}

/** Runs a sibling with this terminal's streams, `input` piped in, and returns its exit code. */
export function runSibling(sibling: Sibling, args: readonly string[], input?: string): Promise<number> {
  const [program, ...rest] = siblingCommand(sibling, args);
  const child = spawn(program, rest, { stdio: [input === undefined ? 'inherit' : 'pipe', 'inherit', 'inherit'] });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return new Promise((resolveCode, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolveCode(code ?? 1));
  });
}
