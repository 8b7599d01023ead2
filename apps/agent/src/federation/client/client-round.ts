import type { Log } from '@ringfence/base';
import type { FlErrorCode } from '@ringfence/fl/error';
import {
  startClient,
  stepClient,
  type ClientCommand,
  type ClientEvent,
  type ClientOutcome,
  type ClientPorts,
  type ClientStart,
  type ClientState,
  type ClientStep,
} from '@ringfence/fl/secagg';

/** What a round of a client does outside of itself. */
export interface ClientRoundRim {
  /** Resolves once it is on disk that this step, and none before it, may be answered. */
  readonly burn: (sequence: number) => Promise<void>;
  /** Resolves once the aggregator has the frame. */
  readonly send: (frame: Uint8Array) => Promise<void>;
  readonly log: Log;
}

/** How a round ended for a client. */
export type ClientRoundEnd =
  | { readonly outcome: 'summed'; readonly of: ClientOutcome }
  | { readonly outcome: 'aborted'; readonly code: FlErrorCode };

/**
 * One client's part in one round of secure aggregation: gives its state machine what comes and does what it says, one thing after another. Its secrets are in
 * memory alone: a process that ends takes them with it, and the next one takes no part in this round.
 */
export class ClientRound {
  readonly #ports: ClientPorts;
  readonly #rim: ClientRoundRim;
  readonly #vector: Uint32Array;
  readonly ended: Promise<ClientRoundEnd>;
  #end: (end: ClientRoundEnd) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  #state: ClientState;
  #isUnmasked = false;
  #turn: Promise<void>;

  /** Begins the round with the vector to be summed. Throws FlError for one that must not be begun. */
  constructor(start: ClientStart, vector: Uint32Array, ports: ClientPorts, rim: ClientRoundRim) {
    this.#ports = ports;
    this.#rim = rim;
    this.#vector = vector;
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    // Whoever waits for the end hears of it; a failure that nobody waits for yet is none of the process.
    this.ended.catch(() => {});
    const { state, commands } = startClient(start, ports);
    this.#state = state;
    this.#turn = this.#doAll(commands);
  }

  /** A frame came from the aggregator; resolves when it is acted upon. Whoever reads frames waits for that before the next one: what waits here has no bound. */
  take(frame: Uint8Array): Promise<void> {
    return this.#next({ kind: 'frame', frame });
  }

  /** Whether the shares left that open the sum: whoever has those of enough clients knows it, and may say otherwise. */
  get isUnmasked(): boolean {
    return this.#isUnmasked;
  }

  /** Gives the round up; the others hear of it. */
  stop(): void {
    void this.#next({ kind: 'stop' });
  }

  #next(event: ClientEvent): Promise<void> {
    this.#turn = this.#turn.then(() => this.#step(stepClient(this.#state, event, this.#ports)));
    return this.#turn;
  }

  #step({ state, commands }: ClientStep): Promise<void> {
    this.#state = state;
    if (state.phase === 'done') this.#isUnmasked = true;
    return this.#doAll(commands);
  }

  async #doAll(commands: readonly ClientCommand[]): Promise<void> {
    try {
      for (const command of commands) await this.#do(command);
    } catch (error) {
      // What cannot be written down or sent ends the round: a later answer would be one to another question.
      this.#fail(error);
      this.#state = stepClient(this.#state, { kind: 'stop' }, this.#ports).state;
    }
  }

  async #do(command: ClientCommand): Promise<void> {
    switch (command.kind) {
      case 'persist':
        // That this step was reached has to survive, its secrets must not.
        command.state[Symbol.dispose]();
        return this.#rim.burn(command.sequence);
      case 'send':
        return this.#rim.send(command.frame);
      case 'need-input':
        return this.#step(stepClient(this.#state, { kind: 'input', vector: this.#vector.slice() }, this.#ports));
      case 'accuse':
        return this.#rim.log.warn('federation.accused', { reason: command.code, seq: command.member });
      case 'finished':
        return this.#end({ outcome: 'summed', of: command.outcome });
      case 'aborted':
        return this.#end({ outcome: 'aborted', code: command.code });
    }
  }
}
