import { join } from 'node:path';
import type { Clock, Rng } from '@ringfence/base';
import type { RecordKey } from '@ringfence/crypto/record';
import type { Digest } from '@ringfence/crypto/sign';
import { CheckpointFile } from './aggregator/checkpoint.ts';
import type { FederationHistory } from './federation-facts.ts';
import { FederationDesk } from './transport/federation-desk.ts';

/** What federations of one link share. */
export class Federations {
  /** Where clients reach aggregators that run here. */
  readonly desk: FederationDesk;
  readonly history: Pick<FederationHistory, 'sequenceOf' | 'take'>;
  readonly #folder: string;
  readonly #key: RecordKey;
  readonly #rng: Rng;

  /** `folder` is the link's own; `onAdmitted` is called when other keys are admitted than before. */
  constructor(
    folder: string,
    parts: {
      history: Pick<FederationHistory, 'sequenceOf' | 'take'>;
      key: RecordKey;
      clock: Clock;
      rng: Rng;
      onAdmitted: () => void;
    },
  ) {
    this.#folder = join(folder, 'federations');
    this.#key = parts.key;
    this.#rng = parts.rng;
    this.history = parts.history;
    this.desk = new FederationDesk({ clock: parts.clock, rng: parts.rng, onChanged: parts.onAdmitted });
  }

  /** The checkpoint of a contract whose aggregator is this agent. */
  checkpointOf(contract: Digest): CheckpointFile {
    return new CheckpointFile(join(this.#folder, contract), { contract, key: this.#key, rng: this.#rng });
  }
}
