import type { IncomingMessage } from 'node:http';
import { Transform, type Readable } from 'node:stream';

/** A body that is read before it is sent: it can be sent again, and costs less than a stream. */
const SMALL_BYTES = 65_536;
/** No body is longer than this. */
export const LARGEST_BODY = 1_073_741_824;

/**
 * The body of a request: null without one, its bytes when it is small or when it has to be looked at whole (at most `whole` bytes), else a
 * stream that fails at {@link LARGEST_BODY}. `too-large` when it says, or turns out, to be longer. Rejects when the caller leaves meanwhile.
 */
export async function bodyOf(
  request: IncomingMessage,
  whole: number | undefined,
): Promise<Readable | Uint8Array | null | 'too-large'> {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if (length === undefined && coding === undefined) return null;
  const declared = length === undefined ? undefined : Number(length);
  if (declared !== undefined && declared > (whole ?? LARGEST_BODY)) return 'too-large';
  if (declared === 0) return null;
  if (whole !== undefined || (declared !== undefined && declared <= SMALL_BYTES))
    return readWhole(request, whole ?? SMALL_BYTES);
  return declared === undefined ? request.pipe(atMost(LARGEST_BODY)) : request;
}

function readWhole(request: IncomingMessage, most: number): Promise<Uint8Array | 'too-large'> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= most) chunks.push(chunk);
    });
    request.once('end', () => {
      if (bytes > most) return resolve('too-large');
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    });
    request.once('error', reject);
    request.once('close', () => reject(new Error('the caller left')));
  });
}

function atMost(most: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      done(bytes > most ? new Error('too large') : null, chunk);
    },
  });
}
