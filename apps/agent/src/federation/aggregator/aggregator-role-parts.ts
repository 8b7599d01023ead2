import type { Clock, Log, Rng } from '@ringfence/base';
import type { Digest, SigningKey } from '@ringfence/crypto/sign';
import type { RoundAnswer, RoundReport } from '@ringfence/protocol/payload';
import type { FederationTerms } from '../round/federation-terms.ts';
import type { FederationDesk } from '../transport/federation-desk.ts';
import type { CheckpointFile } from './checkpoint.ts';

/** What an aggregator works with. */
export interface AggregatorRoleParts {
  readonly terms: FederationTerms;
  readonly identity: SigningKey;
  readonly desk: FederationDesk;
  readonly checkpoint: Pick<CheckpointFile, 'read' | 'write'>;
  /** Asks the custodian whether a round may begin; undefined where it cannot be reached. */
  readonly leave: (round: number, signal: AbortSignal) => Promise<RoundAnswer | undefined>;
  /** Tells the custodian what came of a round. */
  readonly report: (round: number, report: RoundReport) => void;
  /** Writes down the transcript of a sum before anybody hears of it. */
  readonly summed: (round: number, transcript: Digest) => Promise<void>;
  /** A line for whoever reads the log of the attempt. */
  readonly say: (line: string) => void;
  /** A step that tests end the process at. */
  readonly fault: (
    point:
      | 'federation-before-burn'
      | 'federation-after-burn'
      | 'federation-after-roster'
      | 'federation-after-unmask-request'
      | 'federation-before-checkpoint'
      | 'federation-after-checkpoint',
  ) => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}
