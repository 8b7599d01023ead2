import {
  parseServerState,
  serverStateBytes,
  serverStep,
  startServer,
  type ServerState,
  type Strategy,
} from '@ringfence/fl/strategies';
import { inNumbers } from '@ringfence/protocol/federation';
import { firstModel, withinNorm, type FederationTerms, type RoundSum } from '../round/federation-terms.ts';

/** The model between rounds, and what the contract's strategy remembers of the rounds before. */
export class GlobalModel {
  readonly #terms: FederationTerms;
  readonly #strategy: Strategy;
  #state: ServerState;

  private constructor(terms: FederationTerms, strategy: Strategy, state: ServerState) {
    this.#terms = terms;
    this.#strategy = strategy;
    this.#state = state;
  }

  /** Before the first round. */
  static first(terms: FederationTerms): GlobalModel {
    const strategy = inNumbers(terms.contract.strategy);
    return new GlobalModel(terms, strategy, startServer(strategy, firstModel(terms)));
  }

  /** As {@link write} wrote it; throws FlError `bad-encoding`. */
  static read(terms: FederationTerms, bytes: Uint8Array): GlobalModel {
    return new GlobalModel(terms, inNumbers(terms.contract.strategy), parseServerState(bytes));
  }

  /** All that the next round needs. */
  write(): Uint8Array {
    return serverStateBytes(this.#state);
  }

  /** The model as clients get it. */
  get weights(): Float32Array {
    return Float32Array.from(this.#state.model);
  }

  /** Takes a round in: the strategy's step by the mean of the clients' updates, within the contract's bound however many lie. Throws FlError `bad-update`, `bad-size`. */
  apply({ updates, clients }: RoundSum): void {
    const mean = withinNorm(
      this.#terms,
      updates.map((sum) => sum / clients),
    );
    this.#state = serverStep(this.#strategy, this.#state, mean);
  }
}
