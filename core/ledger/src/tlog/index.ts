export {
  judgeOffer,
  offerOf,
  type CheckpointOffer,
  type HeldCheckpoint,
  type OfferVerdict,
} from './witness/checkpoint-offer.ts';
export { epochOfOrigin, originOf } from './note/log-origin.ts';
export { formatAddCheckpoint, parseAddCheckpoint, type AddCheckpoint } from './witness/add-checkpoint.ts';
export {
  ACTOR_KINDS,
  auditEvent,
  claimedIndex,
  entryBytes,
  readAuditEntry,
  type AuditEntry,
  type AuditEvent,
} from './entry/audit-entry.ts';
export {
  newSubjectHandle,
  openSubject,
  sealSubject,
  type SealedSubject,
  type SubjectFields,
} from './entry/audit-subject.ts';
export { committedRoot, verifyConsistency, type TreeHead } from './tree/consistency-proof.ts';
export { cosign, verifyCosignature, type NoteSigner } from './note/cosignature.ts';
export { bundleRanges, provenEntries } from './tree/bundle-proof.ts';
export { decodeBundle, encodeBundle, splitBundle } from './tree/entry-bundle.ts';
export { verifyInclusion, type InclusionClaim } from './tree/inclusion-proof.ts';
export { appendEntries, EMPTY_LOG, fitsEdge, type AppendedBatch, type LogEdge } from './tree/log-edge.ts';
export {
  formatExportRecord,
  LOG_EXPORT,
  LONGEST_EXPORT_LINE,
  parseExportRecord,
  type ExportRecord,
} from './export/log-export.ts';
export type { ExportFault, LogVerdict, TamperFault } from './export/log-verdict.ts';
export { trustInLog, verifyLines } from './export/verify-lines.ts';
export { writeExport, type ReadableLog } from './export/write-export.ts';
export { LogVerifier, type LogVerifierOptions } from './export/log-verifier.ts';
export {
  EMPTY_ROOT,
  hashFromBytes,
  hashToBase64,
  hashToBytes,
  leafHash,
  MOST_ENTRY_BYTES,
  nodeHash,
  parseHash,
  type MerkleHash,
} from './tree/merkle-hash.ts';
export { isConvicted, rewrittenEvidence, type Misbehaviour } from './witness/misbehaviour.ts';
export { eventOfLedger, type LogKeeper, type StoredEvent } from './entry/logged-event.ts';
export { OmissionCheck, type Omission, type WitnessedStatement } from './entry/omission.ts';
export { openNote, type NoteFault, type OpenedNote, type VerifiedSignature } from './note/open-note.ts';
export {
  formatNote,
  formatSignatureLines,
  parseNote,
  parseSignatureLines,
  type NoteSignature,
  type SignedNote,
} from './note/signed-note.ts';
export {
  bundlesOfTree,
  parseTilePath,
  tileAt,
  tileOfWords,
  tilePath,
  tilesOfTree,
  TILE_WIDTH,
  type TileCoordinate,
} from './tree/tile-coordinate.ts';
export { TileNodes } from './tree/tile-nodes.ts';
export {
  formatTlogProof,
  parseTlogProof,
  verifyTlogProof,
  type ProofFault,
  type ProofTrust,
  type TlogProof,
} from './note/tlog-proof.ts';
export {
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  type CheckpointFault,
  type CheckpointTrust,
  type SignedCheckpoint,
  type TreeCheckpoint,
} from './note/tree-checkpoint.ts';
export { firstDivergence } from './tree/tree-divergence.ts';
export {
  appendLeaves,
  edgeFromTiles,
  edgeRoot,
  EMPTY_EDGE,
  tileRoot,
  type TreeEdge,
  type WrittenTile,
} from './tree/tree-edge.ts';
export { completeSubtrees, consistencyRanges, inclusionRanges, type TreeRange } from './tree/tree-range.ts';
export { TreeView } from './tree/tree-view.ts';
export { formatVerifierKey, noteKeyId, parseVerifierKey, verifierKey, type VerifierKey } from './note/verifier-key.ts';
export { judgeCheckpoint, type WitnessedLog, type WitnessRefusal, type WitnessVerdict } from './witness/witness.ts';
