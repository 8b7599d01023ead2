/** The epochs that the signed keyring head of a custodian stated: before its log was asked for, and, where it was asked again, after. */
export interface StatedEpochs {
  readonly before: number;
  /** Undefined for a head that the agent's copy of the keyring does not accept. */
  readonly after: number | undefined;
}

/** What to make of the epoch of a log; `unknown` is no accusation: nothing is cosigned until the keyring says more. */
export type EpochVerdict = 'stated' | 'unknown' | 'unstated-epoch' | 'old-epoch';

/**
 * Whether the signed keyring states the epoch (undefined: none at all) of the log that its custodian shows. Only a restore raises it, and nothing
 * lowers it: a log of another epoch is a way round the history that witnesses hold.
 */
export function judgeEpoch(shown: number | undefined, { before, after }: StatedEpochs): EpochVerdict {
  if (shown === before) return 'stated';
  if (shown !== undefined && shown < before) return 'old-epoch';
  if (after === undefined) return 'unknown';
  if (shown === undefined || shown > after) return 'unstated-epoch';
  // Stated between the two: a custodian that was restored twice meanwhile shows another one at the next look.
  return shown === after ? 'stated' : 'unknown';
}
