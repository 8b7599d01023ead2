import { z } from 'zod';
import { checkpointNote, noteVerifierKey } from '../api/audit.ts';
import { idOf, moment, sha256, whole } from '../fields.ts';

const count = whole(0, Number.MAX_SAFE_INTEGER);
const origin = z.string().max(255);

/**
 * What a witness finds wrong. `forked`, `rewritten`: the log's own signatures contradict each other; `rolled-back`: it showed less than it
 * had signed; `inconsistent`: no proof leads from what it had signed to what it shows; `omitted`: it leaves out what the witness's journal holds;
 * `unstated-epoch`, `old-epoch`: a custodian's log of an epoch that its signed keyring head does not state, or of one before that which it stated.
 */
export const LOG_FAULTS = [
  'forked',
  'rewritten',
  'rolled-back',
  'inconsistent',
  'omitted',
  'unstated-epoch',
  'old-epoch',
] as const;
/** One of {@link LOG_FAULTS}. */
export type LogFault = (typeof LOG_FAULTS)[number];

/** What a witness has against a log: notes that the log signed, statements that it leaves out, and the index before which they belong. */
export const logAccusation = z.strictObject({
  origin,
  fault: z.enum(LOG_FAULTS),
  at: moment,
  /** Bounds of the first entry that is wrong. */
  index: count,
  until: count,
  held: checkpointNote.exactOptional(),
  offered: checkpointNote.exactOptional(),
  statements: z.array(sha256).max(16).exactOptional(),
});
export type LogAccusation = z.infer<typeof logAccusation>;

/** `POST /v1/audit/witnesses`: an agent's key with its cosignature on one of the two logs, or what it found on either log. */
export const witnessWord = z.discriminatedUnion('word', [
  z.strictObject({ word: z.literal('cosigned'), key: noteVerifierKey, size: count, checkpoint: checkpointNote }),
  z.strictObject({ word: z.literal('accuses'), accusation: logAccusation }),
]);
/** The size that the custodian has noted for this witness. */
export const witnessWordAnswer = z.strictObject({ size: count });

const witness = z.union([idOf('agent'), idOf('custodian')]);

/**
 * `GET /v1/audit/witnessed`: the control plane's log key as this custodian holds it, the newest cosigned checkpoints of both logs, and of each witness
 * the newest accusation before the second newest of any, at most 100.
 */
export const auditWitnessed = z.strictObject({
  controlPlane: z.strictObject({ origin, key: noteVerifierKey, size: count }).nullable(),
  cosigned: z.array(z.strictObject({ origin, key: noteVerifierKey, size: count, checkpoint: checkpointNote })),
  accusations: z.array(z.strictObject({ witness, accusation: logAccusation })),
});

/** What a witness found: how much, and what is kept of it in the order of finding, the first and the newest. */
export const logAccuser = z.strictObject({ witness, filed: count, accusations: z.array(logAccusation) });
export type LogAccuser = z.infer<typeof logAccuser>;

/** `GET /v1/audit/accusers`: some witnesses that found something, and the id behind which there are more. */
export const auditAccusers = z.strictObject({
  accusers: z.array(logAccuser),
  next: witness.nullable(),
});
