import { errorFields, type Log } from '../log.ts';

const MOST_FRAMES = 4;

/**
 * From here on, what escapes everything that should have caught it is one line of `log`, and ends the process: what it holds may be half done, and
 * whoever supervises it starts it again.
 */
export function endOnEscape(log: Log): void {
  const end = (thrown: unknown): never => {
    const reason = framesOf(thrown);
    log.error('escaped', {
      ...errorFields(thrown),
      ...(reason === '' ? {} : { reason }),
      next: 'have it started again (Restart=always), and report it',
    });
    process.exit(1);
  };
  process.once('uncaughtException', end);
  process.once('unhandledRejection', end);
}

/** Where it was thrown, without its message, which may quote payload (invariant 10). */
function framesOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return '';
  const { stack = '', message } = thrown;
  const after = stack.indexOf(message);
  if (after < 0) return '';
  const lines = stack.slice(after + message.length).split('\n');
  const frames = lines.map((line) => line.trim()).filter((line) => line.startsWith('at '));
  return frames.slice(0, MOST_FRAMES).join(' ');
}
