import { concatBytes, utf8 } from '@ringfence/base';
import { verifySignature, type SigningKey } from '@ringfence/crypto/sign';
import { appendLeaves, edgeRoot, EMPTY_EDGE, hashToBytes, leafHash } from '@ringfence/ledger/tlog';
import type { Round } from './round.ts';

const DONE = utf8('transcript\0');

/** The root over a round's transcript (RFC 6962 hashes), one leaf an entry. */
export function transcriptRoot(entries: readonly Uint8Array[]): Uint8Array {
  return hashToBytes(
    edgeRoot(
      appendLeaves(
        EMPTY_EDGE,
        entries.map((entry) => leafHash(entry)),
      ).edge,
    ),
  );
}

/** The aggregator's signature of a round's outcome. */
export function signTranscript(round: Round, root: Uint8Array, identity: SigningKey): Uint8Array {
  return identity.sign('ringfence/secagg/v1', concatBytes(DONE, round.digest, root));
}

/** Whether the contract's aggregator stands for this root as the round's outcome. */
export function isTranscript(round: Round, root: Uint8Array, signature: Uint8Array): boolean {
  return verifySignature(round.aggregator, 'ringfence/secagg/v1', concatBytes(DONE, round.digest, root), signature);
}
