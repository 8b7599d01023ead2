import { fromBase64Url, toBase64Url, utf8 } from '@ringfence/base';
import { notePublicKey } from '@ringfence/crypto/note';
import { cosign, type NoteSigner } from '../note/cosignature.ts';
import { formatNote, parseNote } from '../note/signed-note.ts';
import { formatCheckpoint, openCheckpoint, parseCheckpoint, type CheckpointTrust } from '../note/tree-checkpoint.ts';
import { verifierKey, type VerifierKey } from '../note/verifier-key.ts';
import { hashFromBytes, hashToBytes, type MerkleHash } from '../tree/merkle-hash.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { judgeCheckpoint, type WitnessedLog } from './witness.ts';

/** A checkpoint as a log offers it to a witness in a message: what is random in it, and nothing else. */
export interface CheckpointOffer {
  /** The log's key, base64url of 32 bytes. */
  readonly key: string;
  readonly size: number;
  /** Base64url of 32 bytes, as are the proof's. */
  readonly root: string;
  /** Base64 of the log's 64-byte signature. */
  readonly signature: string;
  /** The size that the witness cosigned last, as far as the log knows. */
  readonly oldSize: number;
  readonly proof: readonly string[];
}

/** What a witness keeps of a log, durably: the key under which it began, and the largest checkpoint. */
export interface HeldCheckpoint {
  readonly key: string;
  readonly note: string;
  readonly size: number;
}

/** What a witness does with an offer. `accuse`: the first wrong entry is at least `index` and below `until`. */
export type OfferVerdict =
  | { readonly do: 'cosign'; readonly held: HeldCheckpoint; readonly signature: string; readonly checkpoint: string }
  | { readonly do: 'tell-size'; readonly size: number }
  | { readonly do: 'ignore'; readonly code: string }
  | {
      readonly do: 'accuse';
      readonly fault: Misbehaviour['kind'] | 'inconsistent';
      readonly index: number;
      readonly until: number;
      readonly held: string;
      readonly offered: string;
    };

/** The offer of a signed checkpoint with its proof from `oldSize`; throws `TypeError` for a note that the log did not sign. */
export function offerOf(
  note: string,
  { name, publicKey }: Pick<VerifierKey, 'name' | 'publicKey'>,
  since: { readonly oldSize: number; readonly proof: readonly MerkleHash[] },
): CheckpointOffer {
  const parsed = parseNote(utf8(note));
  const checkpoint = parsed && parseCheckpoint(parsed.text);
  const own = parsed?.signatures.find((line) => line.name === name);
  if (checkpoint === undefined || own === undefined) throw new TypeError('this is no checkpoint of the log');
  return {
    key: publicKey,
    size: checkpoint.size,
    root: toBase64Url(hashToBytes(checkpoint.root)),
    signature: Buffer.from(own.signature).toString('base64'),
    oldSize: since.oldSize,
    proof: since.proof.map((hash) => toBase64Url(hashToBytes(hash))),
  };
}

/**
 * Judges an offer that the log itself made just now against the largest checkpoint held. With `cosign` the caller stores `held` durably before
 * the signature leaves; `seconds` is the time of it.
 */
export function judgeOffer(
  held: HeldCheckpoint | undefined,
  offer: CheckpointOffer,
  { origin, witness, seconds }: { readonly origin: string; readonly witness: NoteSigner; readonly seconds: number },
): OfferVerdict {
  const opened = openOffer(origin, offer);
  if (opened === undefined) return { do: 'ignore', code: 'malformed' };
  const { note, trust, proof } = opened;
  if (held !== undefined && held.key !== offer.key)
    return { do: 'accuse', fault: 'inconsistent', index: 0, until: held.size, held: held.note, offered: note };
  const witnessed = held && witnessedOf(held, trust);
  const verdict = judgeCheckpoint(witnessed, { oldSize: offer.oldSize, proof, note }, trust, 'log');
  if (verdict.do === 'accuse') return accusation(verdict.evidence, { held: held?.size ?? 0, offered: offer.size });
  if (verdict.do === 'cosign') {
    const line = cosign(witness, verdict.signed.text, seconds);
    const parsed = parseNote(utf8(note));
    const checkpoint = formatNote({ text: verdict.signed.text, signatures: [...(parsed?.signatures ?? []), line] });
    const signature = Buffer.from(line.signature.subarray(8)).toString('base64');
    return { do: 'cosign', held: { key: offer.key, note, size: offer.size }, signature, checkpoint };
  }
  if (verdict.code === 'other-old-size') return { do: 'tell-size', size: held?.size ?? 0 };
  // The log itself says that its tree continues the one held, and cannot prove it.
  if (verdict.code === 'bad-proof' && held !== undefined)
    return { do: 'accuse', fault: 'inconsistent', index: 0, until: held.size, held: held.note, offered: note };
  return { do: 'ignore', code: verdict.code };
}

function openOffer(
  origin: string,
  { key, size, root, signature, proof }: CheckpointOffer,
): { note: string; trust: CheckpointTrust; proof: MerkleHash[] } | undefined {
  const publicKey = notePublicKey(fromBase64Url(key));
  const rootHash = hashFromBytes(fromBase64Url(root));
  const hashes = proof.map((hash) => hashFromBytes(fromBase64Url(hash)));
  if (publicKey === undefined || rootHash === undefined) return undefined;
  const logKey = verifierKey(origin, 'note', publicKey);
  const text = formatCheckpoint({ origin, size, root: rootHash, extensions: [] });
  const line = { name: origin, keyId: logKey.keyId, signature: Buffer.from(signature, 'base64') };
  const note = formatNote({ text, signatures: [line] });
  return { note, trust: { origin, logKeys: [logKey] }, proof: hashes.flatMap((hash) => hash ?? []) };
}

function witnessedOf({ note }: HeldCheckpoint, trust: CheckpointTrust): WitnessedLog | undefined {
  const opened = openCheckpoint(utf8(note), trust);
  return opened.ok ? { head: opened.signed.checkpoint, note } : undefined;
}

function accusation(evidence: Misbehaviour, size: { readonly held: number; readonly offered: number }): OfferVerdict {
  const { kind, held, offered } = evidence;
  const [index, until] = kind === 'rolled-back' ? [size.offered, size.held] : [0, Math.min(size.held, size.offered)];
  return { do: 'accuse', fault: kind, index, until, held, offered };
}
