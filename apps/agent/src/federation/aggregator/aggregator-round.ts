import type { Clock, Log } from '@ringfence/base';
import type { FlErrorCode } from '@ringfence/fl/error';
import {
  startAggregator,
  stepAggregator,
  type AggregatorCommand,
  type AggregatorEvent,
  type AggregatorOutcome,
  type AggregatorPhase,
  type AggregatorPorts,
  type AggregatorState,
  type AggregatorStep,
  type Round,
} from '@ringfence/fl/secagg';
import type { AggregatorRoleParts } from './aggregator-role-parts.ts';

/** What a round of the aggregator does outside of itself. */
export interface AggregatorRoundRim {
  /** Keeps a frame for a member; whether it has a session is its own matter. */
  readonly send: (member: number, frame: Uint8Array) => void;
  /** How long a phase may last, in milliseconds. */
  readonly phaseMs: (phase: AggregatorPhase) => number;
  /** Members that said they are ready: once all of them are heard, nobody else's keys are waited for. */
  readonly expected: ReadonlySet<number>;
  /** A step that tests end the process at. */
  readonly fault: AggregatorRoleParts['fault'];
  readonly clock: Clock;
  readonly log: Log;
}

/** How a round ended at the aggregator. */
export type AggregatorRoundEnd =
  | { readonly outcome: 'summed'; readonly of: AggregatorOutcome }
  | { readonly outcome: 'aborted'; readonly code: FlErrorCode };

/** Uploads that stand still for so long give their place to others. */
const STALLED_AFTER_MS = 20_000;

/**
 * The aggregator's part in one round of secure aggregation. What it would have to store for a restart is not: a process that ends takes the round with it,
 * and its number is burned before the first frame of it.
 */
export class AggregatorRound {
  readonly #rim: AggregatorRoundRim;
  readonly ended: Promise<AggregatorRoundEnd>;
  #end: (end: AggregatorRoundEnd) => void = () => {};
  #state: AggregatorState;
  readonly #timers = new Set<() => void>();
  readonly #heard = new Set<number>();

  /** Begins the round; throws FlError for one that must not be begun. */
  constructor(round: Round, ports: AggregatorPorts, rim: AggregatorRoundRim) {
    this.#rim = rim;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    const { state, commands } = startAggregator(round, round.round - 1, ports);
    this.#state = state;
    this.#doAll(commands);
    this.#after(STALLED_AFTER_MS, () => this.#lookForStalled());
  }

  /** A frame came from a member. */
  take(member: number, frame: Uint8Array): void {
    // Whoever answers has what they were sent.
    if (this.#state.phase === 'shares') this.#rim.fault('federation-after-roster');
    else if (this.#state.phase === 'answers') this.#rim.fault('federation-after-unmask-request');
    this.#step({ kind: 'frame', member, frame });
    this.#heard.add(member);
    if (this.#state.phase === 'keys' && this.#state.attempt === 0 && this.#heard.size === this.#rim.expected.size)
      this.#step({ kind: 'deadline', phase: 'keys' });
  }

  /** Gives the round up; its members hear of it. */
  stop(): void {
    this.#step({ kind: 'stop' });
  }

  #lookForStalled(): void {
    this.#step({ kind: 'stalled-uploads' });
    this.#after(STALLED_AFTER_MS, () => this.#lookForStalled());
  }

  #step(event: AggregatorEvent): void {
    const { state, commands }: AggregatorStep = stepAggregator(this.#state, event);
    this.#state = state;
    this.#doAll(commands);
  }

  #doAll(commands: readonly AggregatorCommand[]): void {
    for (const command of commands) this.#do(command);
  }

  #do(command: AggregatorCommand): void {
    const { log, send, phaseMs } = this.#rim;
    switch (command.kind) {
      case 'persist':
        return;
      case 'send':
        return send(command.member, command.frame);
      case 'arm':
        return this.#after(phaseMs(command.phase), () => this.#step({ kind: 'deadline', phase: command.phase }));
      case 'exclude':
        return log.warn('federation.excluded', { seq: command.member, reason: command.code });
      case 'finished':
        return this.#over({ outcome: 'summed', of: command.outcome });
      case 'aborted':
        return this.#over({ outcome: 'aborted', code: command.code });
    }
  }

  #over(end: AggregatorRoundEnd): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#end(end);
  }

  #after(delay: number, run: () => void): void {
    const cancel = this.#rim.clock.after(delay, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
  }
}
