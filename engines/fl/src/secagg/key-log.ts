import { concatBytes, utf8 } from '@ringfence/base';
import { sha256, verifySignature, type SigningKey } from '@ringfence/crypto/sign';
import {
  appendLeaves,
  edgeRoot,
  EMPTY_EDGE,
  hashFromBytes,
  hashToBytes,
  leafHash,
  TileNodes,
  TreeView,
  verifyInclusion,
  type MerkleHash,
} from '@ringfence/ledger/tlog';
import { bigEndian } from './byte-reader.ts';
import type { Round } from './round.ts';

/** One entry of the round's key log: the client at this place of the roster, what it committed to, and the digest of all that it signed. */
export interface LogLeaf {
  readonly member: number;
  readonly beaconCommitment: Uint8Array;
  /** SHA-256 of the key statement. */
  readonly digest: Uint8Array;
}

const ROSTER = utf8('roster\0');

/** The leaf of a key statement. */
export function leafOf(member: number, beaconCommitment: Uint8Array, statement: Uint8Array): LogLeaf {
  return { member, beaconCommitment, digest: sha256(statement) };
}

/** The log of a whole roster (RFC 6962 hashes), with proofs. */
export function openLog(leaves: readonly LogLeaf[]): { root: Uint8Array; prove: (place: number) => Uint8Array[] } {
  const { edge, tiles } = appendLeaves(EMPTY_EDGE, leaves.map(hashOf));
  const nodes = new TileNodes();
  for (const { tile, bytes } of tiles) nodes.add(tile, bytes);
  const view = new TreeView(nodes, leaves.length);
  return { root: hashToBytes(edgeRoot(edge)), prove: (place) => view.proveInclusion(place).map(hashToBytes) };
}

/** The root of a log. */
export function rootOf(leaves: readonly LogLeaf[]): Uint8Array {
  return hashToBytes(edgeRoot(appendLeaves(EMPTY_EDGE, leaves.map(hashOf)).edge));
}

/** Whether `leaf` is at `place` of a log of `size` entries. */
export function isLogged(
  leaf: LogLeaf,
  at: { readonly place: number; readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  const root = hashFromBytes(at.root);
  const path = proof.map((bytes) => hashFromBytes(bytes));
  if (root === undefined || path.some((hash) => hash === undefined)) return false;
  return verifyInclusion(
    { index: at.place, size: at.size, leaf: hashOf(leaf), root },
    path.filter((hash) => hash !== undefined),
  );
}

/** A roster as the aggregator signs it: who is on it, and the root of their keys. */
export interface RosterHead {
  readonly attempt: number;
  /** The members, as a set. */
  readonly members: Uint8Array;
  readonly root: Uint8Array;
}

/** The aggregator's signature of a roster. */
export function signRoster(round: Round, head: RosterHead, identity: SigningKey): Uint8Array {
  return identity.sign('ringfence/secagg/v1', rosterBytes(round, head));
}

/** Whether the contract's aggregator signed this roster for this round and attempt. */
export function isSignedRoster(round: Round, head: RosterHead, signature: Uint8Array): boolean {
  return verifySignature(round.aggregator, 'ringfence/secagg/v1', rosterBytes(round, head), signature);
}

function rosterBytes(round: Round, { attempt, members, root }: RosterHead): Uint8Array {
  return concatBytes(ROSTER, round.digest, bigEndian(attempt, 1), root, members);
}

function hashOf({ member, beaconCommitment, digest }: LogLeaf): MerkleHash {
  return leafHash(concatBytes(bigEndian(member, 2), beaconCommitment, digest));
}
