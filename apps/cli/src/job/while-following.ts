import type { CommandContext } from '../command.ts';

/**
 * Runs `follow`, which only looks on: whoever presses Ctrl-C meanwhile is told by `goesOn` what does not end with it, and the process ends by
 * that signal as it would have.
 */
export async function whileFollowing<T>(
  { terminal }: CommandContext,
  goesOn: string,
  follow: () => Promise<T>,
): Promise<T> {
  const interrupted = (): void => {
    terminal.note(goesOn);
    // Nobody listens any more, so that it ends this process.
    process.kill(process.pid, 'SIGINT');
  };
  process.once('SIGINT', interrupted);
  try {
    return await follow();
  } finally {
    process.off('SIGINT', interrupted);
  }
}
