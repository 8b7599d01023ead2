import { Worker } from 'node:worker_threads';
import type { ErrorDetail } from '@ringfence/base';
import { kekError } from '../../kek-provider.ts';
import { tokenProgram, type TokenAccess, type TokenOrder, type TokenOutcome } from './token-program.ts';

/** An order before it has a number. */
export type TokenTask = TokenOrder extends infer Each ? (Each extends TokenOrder ? Omit<Each, 'id'> : never) : never;

interface Waiting {
  readonly resolve: (outcome: TokenOutcome) => void;
  readonly reject: (error: unknown) => void;
}

const MOST_WAITING = 256;

/**
 * The thread that talks to one token. Calls of a PKCS#11 library block, some for seconds, so they are made beside the process's own thread;
 * one that never returns blocks those behind it, each of which is given up in its time.
 */
export class TokenThread {
  readonly #access: TokenAccess;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 1;

  constructor(access: TokenAccess) {
    this.#access = access;
  }

  /** Does `task` and says what came of it. Throws `kek-unavailable` when the thread ends or too much waits, or the signal's reason. */
  async ask(task: TokenTask, signal: AbortSignal): Promise<TokenOutcome> {
    signal.throwIfAborted();
    if (this.#waiting.size >= MOST_WAITING) throw kekError('kek-unavailable');
    const id = this.#next++;
    const worker = (this.#worker ??= this.#start());
    return new Promise<TokenOutcome>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      worker.postMessage({ ...task, id });
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#ended(undefined);
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(tokenProgram(), { eval: true, workerData: this.#access, stdout: true, stderr: true });
    worker.unref();
    worker.on('message', (outcome: TokenOutcome) => {
      const waiting = this.#waiting.get(outcome.id);
      this.#waiting.delete(outcome.id);
      waiting?.resolve(outcome);
    });
    const ended = (error: ErrorDetail['cause']): void => {
      if (this.#worker === worker) this.#ended(error);
    };
    worker.once('error', ended);
    worker.once('exit', ended);
    return worker;
  }

  #ended(cause: unknown): void {
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(kekError('kek-unavailable', cause));
  }
}
