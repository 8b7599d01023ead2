import { spawn } from 'node:child_process';

/** What a finished command left behind; `code` is 1 or more when it failed, also when a signal ended it. */
export type ToolResult = { code: number; stdout: string; stderr: string };

/** Where a command runs, and what is added to its environment. */
export type ToolPlace = { cwd: string; env?: Readonly<Record<string, string>> };

/** Runs a command to its end without a shell and collects its output; rejects only when it cannot be started. */
export function runTool(command: string, args: readonly string[], { cwd, env }: ToolPlace): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}
