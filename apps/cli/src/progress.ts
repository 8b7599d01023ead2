import { formatSize } from '@ringfence/base';
import type { Terminal } from './terminal.ts';

/** A counter of bytes on one line of stderr, for people only. */
export function byteProgress(
  terminal: Terminal,
  what: string,
): { readonly add: (bytes: number) => void; readonly end: () => void } {
  let done = 0;
  const show = (end: string): void => {
    if (terminal.watched && !terminal.json) process.stderr.write(`\r${what} ${formatSize(done)}${end}`);
  };
  return {
    add: (bytes) => {
      done += bytes;
      show('');
    },
    end: () => show('\n'),
  };
}
