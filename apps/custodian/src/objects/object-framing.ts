import { CustodianError } from '../custodian-error.ts';

/** One piece of a framed stream: an object begins, goes on, or ends. */
export type FramePiece =
  | { readonly kind: 'begin'; readonly length: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' };

/** The largest object: one chunk of 1 MiB or a manifest of many. */
export const LARGEST_OBJECT = 512 * 1024 * 1024;
const LENGTH_BYTES = 4;

/** Takes apart a stream of (u32 length ‖ object)…; throws CustodianError `bad-request` for an empty, over-long or cut-off object. */
export async function* readFrames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<FramePiece> {
  const header = Buffer.alloc(LENGTH_BYTES);
  let have = 0;
  let left = 0;
  for await (let piece of stream) {
    while (piece.length > 0) {
      if (left === 0) {
        const taken = Math.min(LENGTH_BYTES - have, piece.length);
        header.set(piece.subarray(0, taken), have);
        have += taken;
        piece = piece.subarray(taken);
        if (have < LENGTH_BYTES) continue;
        left = header.readUInt32BE();
        have = 0;
        if (left === 0 || left > LARGEST_OBJECT) throw badStream();
        yield { kind: 'begin', length: left };
        continue;
      }
      const bytes = piece.subarray(0, left);
      left -= bytes.length;
      piece = piece.subarray(bytes.length);
      yield { kind: 'bytes', bytes };
      if (left === 0) yield { kind: 'end' };
    }
  }
  if (left > 0 || have > 0) throw badStream();
}

function badStream(): CustodianError {
  return new CustodianError('bad-request', 'the stream of objects is cut off or not of the declared form', {
    next: 'send it again',
  });
}
