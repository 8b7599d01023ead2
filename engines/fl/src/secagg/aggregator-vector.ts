import { FlError } from '../fl-error.ts';
import { addVectors, packedCount } from '../ring/index.ts';
import type { AggregatorCommand } from './aggregator-events.ts';
import { frameOf, sendTo, type AggregatorState } from './aggregator-state.ts';
import type { UploadGrant } from './upload-slots.ts';

/** A client has masked its vector. */
export function takeReady(state: AggregatorState, place: number): AggregatorCommand[] {
  if (!mayUpload(state, place)) return [];
  return uploadGrants(state, state.uploads.ready(place));
}

/** A piece of a vector; with the last one the vector counts, whatever its client does from now on. */
export function takeChunk(
  state: AggregatorState,
  place: number,
  chunk: { readonly index: number; readonly bytes: Uint8Array },
): AggregatorCommand[] {
  if (!mayUpload(state, place)) return [];
  const { whole, grants } = state.uploads.take(place, chunk.index, chunk.bytes);
  if (whole === undefined) return uploadGrants(state, grants);
  // Before it counts and waits for others: a vector that is refused frees the place with its client, and no other one is hurt.
  packedCount(whole, state.round.width);
  state.folded.add(place);
  return uploadGrants(state, state.uploads.finish(place, adder(state)));
}

/** Brings the vectors that wait for others into the sum: nobody sends any more. */
export function addHeldVectors(state: AggregatorState): void {
  state.uploads.addHeld(adder(state));
}

function adder({ sum, round }: AggregatorState): (vectors: readonly Uint8Array[]) => void {
  return (vectors) => addVectors(sum, vectors, round.width);
}

/** Tells clients what they may send. */
export function uploadGrants(state: AggregatorState, grants: readonly UploadGrant[]): AggregatorCommand[] {
  return grants.map((grant) => sendTo(state, grant.place, uploadFrame(state, grant)));
}

/** What a client may send. */
export function uploadFrame(state: AggregatorState, { from, count }: UploadGrant): Uint8Array {
  return frameOf(state, { kind: 'upload', from, count });
}

function mayUpload(state: AggregatorState, place: number): boolean {
  if (state.phase === 'vectors' && !state.dealings.has(place))
    throw new FlError('not-the-next-step', 'a vector of one who dealt no shares');
  return state.phase === 'vectors' && !state.folded.has(place);
}
