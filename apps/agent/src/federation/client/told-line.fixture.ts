import { readMessage, writeMessage, type FederationMessage } from '../transport/federation-message.ts';
import type { ClientRoleParts } from './client-role.ts';

type Line = Awaited<ReturnType<ClientRoleParts['line']>>;

/** A session at an aggregator that says `words` whatever it hears, a `begin` only once the client is ready, and gives a model of zeros. */
export function toldLine(words: readonly FederationMessage[]) {
  const waiting = [...words];
  const sent: FederationMessage[] = [];
  const ready = Promise.withResolvers<void>();
  const line: Line = {
    send: (bytes) => {
      const message = readMessage(bytes);
      if (message !== undefined) sent.push(message);
      if (message?.kind === 'ready') ready.resolve();
      return Promise.resolve();
    },
    next: async (signal) => {
      const word = waiting.shift();
      if (word?.kind === 'begin') await ready.promise;
      if (word !== undefined) return writeMessage(word);
      return new Promise((_, reject) => {
        if (signal.aborted) reject(new Error('over'));
        signal.addEventListener('abort', () => reject(new Error('over')), { once: true });
      });
    },
    model: (_, length) => Promise.resolve(new Uint8Array(length)),
  };
  return { line: () => Promise.resolve(line), sent };
}
