import type { Duplex } from 'node:stream';
import type { Clock } from '@ringfence/base';
import { AgentError } from '../agent-error.ts';

const HEAD_AT_MOST = 4_096;
const ANSWER_WITHIN_MS = 10_000;

/**
 * Asks the agent at the other end of a new link whether it admits this side, and waits for its 204. Throws AgentError `not-admitted`, the link
 * destroyed, when it says anything else, or nothing for 10 seconds: the request that waits for the link would wait with it.
 */
export function awaitAdmission(link: Duplex, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    let head = '';
    const fail = (): void => {
      cancel();
      link.destroy();
      reject(new AgentError('not-admitted', 'the agent of a replica did not admit this gateway'));
    };
    const cancel = clock.after(ANSWER_WITHIN_MS, fail);
    const read = (chunk: Buffer): void => {
      head += chunk.toString('latin1');
      if (head.length > HEAD_AT_MOST) return fail();
      if (!head.endsWith('\r\n\r\n')) return;
      if (!head.startsWith('HTTP/1.1 204 ')) return fail();
      cancel();
      link.off('data', read).off('close', fail).pause();
      resolve();
    };
    // The listener for errors stays: until somebody sends on the link, one would end the process.
    link.on('data', read).on('error', fail).on('close', fail);
    link.write('GET /v1/replicas HTTP/1.1\r\nhost: agent\r\n\r\n');
  });
}
