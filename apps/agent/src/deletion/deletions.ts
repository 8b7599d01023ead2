import { errorFields } from '@ringfence/base';
import { signStatement } from '@ringfence/keyring';
import type { NamedAttempt } from '@ringfence/protocol/statements';
import type { LinkContext } from '../link/link-context.ts';
import { deleteAttempts } from './delete-attempts.ts';
import { deletionAskedFact, deletionDoneFact, type DeletionHistory, type DeletionOrder } from './deletion-facts.ts';

/** What carrying out orders to delete depends on. */
export interface DeletionParts {
  readonly context: Pick<
    LinkContext,
    'link' | 'identity' | 'journal' | 'machine' | 'clock' | 'log' | 'fault' | 'record'
  >;
  /** What earlier processes took and did not answer. */
  readonly history: DeletionHistory;
  /** Whether this machine is somebody else's: at home nothing is deleted on a control plane's word, and local logs are their owner's. */
  readonly isAway: () => boolean;
  /** Whether an attempt is not over, or somebody has still to be told of its end. */
  readonly isAlive: (attempt: NamedAttempt) => boolean;
  /** From now on no lease of these attempts is taken. */
  readonly forgo: (attempts: readonly NamedAttempt[]) => void;
  /** Resolves once no log is on its way to the custodian any more. */
  readonly logsSettled: () => Promise<void>;
  /** Aborted when the agent stops: the next start goes on. */
  readonly stopping: AbortSignal;
}

const AGAIN_MS = 60_000;

/**
 * Deletes what the control plane asks to have deleted, once every attempt that it names is over and its log is where it was to go, and signs
 * that. What was never here counts as deleted, and a lease of it that comes later is refused, so that the word stays true. An order is in the
 * journal before anything is done, and its answer after everything is: a crash in between repeats the whole.
 */
export class Deletions {
  readonly #parts: DeletionParts;
  #turn: Promise<void> = Promise.resolve();
  #cancelAgain = (): void => {};

  constructor(parts: DeletionParts) {
    this.#parts = parts;
    parts.forgo(parts.history.highest);
    parts.stopping.addEventListener('abort', () => this.#cancelAgain(), { once: true });
  }

  /** Takes the order that came as message `mid`; at home it is refused without a word. */
  async ask(order: DeletionOrder, mid: number): Promise<void> {
    const { context, history, isAway, forgo } = this.#parts;
    if (!isAway()) return context.log.warn('deletion.refused', { reason: 'at-home' });
    // At once: a lease may come while the order is being written down.
    forgo(order.attempts);
    const fact = deletionAskedFact(order);
    await context.journal.fact(fact, mid);
    history.take(fact);
    context.log.info('deletion.asked', { count: order.attempts.length });
    this.look();
  }

  /** Carries out what can be carried out; call whenever an attempt is over. */
  look(): void {
    this.#turn = this.#turn.then(() => this.#carryOut());
  }

  /** Resolves once what was asked or became possible before this call is done. */
  settled(): Promise<void> {
    return this.#turn;
  }

  async #carryOut(): Promise<void> {
    const { context, history, isAlive, logsSettled, stopping } = this.#parts;
    for (const order of history.open) {
      if (order.attempts.some(isAlive)) continue;
      try {
        await logsSettled();
        // What would have gone to its owner stays for the next start.
        if (stopping.aborted) return;
        await this.#delete(order);
      } catch (error) {
        context.log.error('deletion.failed', errorFields(error));
        this.#cancelAgain();
        if (!stopping.aborted) this.#cancelAgain = context.clock.after(AGAIN_MS, () => this.look());
      }
    }
  }

  async #delete(order: DeletionOrder): Promise<void> {
    const { context, history } = this.#parts;
    const { link, identity, machine, clock, log, fault, record } = context;
    fault('deletion-before-files');
    deleteAttempts(machine, link.org, order.attempts);
    fault('deletion-before-journal');
    const { request } = order;
    const attempts = order.attempts.map(({ job, attempt }) => ({ job, attempt }));
    const said = { v: 1, org: link.org, agent: link.agent, request, attempts, at: clock.now() } as const;
    const fact = deletionDoneFact(order, signStatement('deletion', said, [identity.sign]));
    await record(fact);
    history.take(fact);
    log.info('deletion.done', { count: attempts.length });
  }
}
