import type { OrgId } from '@ringfence/base';
import type { NoteKey } from '@ringfence/crypto/note';
import { originOf, verifierKey, type LogKeeper, type NoteSigner, type VerifierKey } from '@ringfence/ledger/tlog';

/** Whose logs these are, and what signs their checkpoints. */
export interface LogIdentity {
  readonly keeper: LogKeeper;
  readonly key: NoteKey;
  /** Rises when a database was restored: what is logged from then on is another log. */
  readonly epochOf: (org: OrgId) => number;
}

/** Who signs the checkpoints of a log. */
export function logSigner({ keeper, key }: LogIdentity, org: OrgId, epoch: number): NoteSigner {
  return { name: originOf(keeper.id, org, epoch), key };
}

/** The key by which everybody checks the checkpoints of a log. */
export function logVerifierKey({ name, key }: NoteSigner): VerifierKey {
  return verifierKey(name, 'note', key.publicKey);
}
