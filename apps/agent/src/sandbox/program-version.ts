import { execFileSync } from 'node:child_process';

const WITHIN_MS = 10_000;

/** What `pattern` captures in the answer of the program at `path` to `--version`; null when it fails, stays silent for 10 seconds or says something else. */
export function programVersion(path: string, pattern: RegExp): string | null {
  try {
    const words = execFileSync(path, ['--version'], {
      encoding: 'utf8',
      env: {},
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: WITHIN_MS,
      killSignal: 'SIGKILL',
    });
    return pattern.exec(words)?.[1] ?? null;
  } catch {
    return null;
  }
}
