import type { TcpSegment } from './tcp-segment.ts';

/** One direction of a TCP connection, put together from its segments: each byte once, however often it was sent. */
class TcpStream {
  #base: number | undefined;
  /** Its first byte was captured: offsets count from there. */
  whole = false;
  readonly #pieces: { start: number; end: number; bytes: Uint8Array }[] = [];

  /** Takes the next segment of this direction. */
  take({ sequence, syn, length, payload }: TcpSegment): void {
    if (this.#base === undefined) {
      this.#base = syn ? (sequence + 1) >>> 0 : sequence;
      this.whole = syn;
    }
    if (length === 0) return;
    const offset = ((syn ? sequence + 1 : sequence) - this.#base) << 0;
    // A keep-alive probe repeats a byte before the first that counts.
    const start = Math.max(0, offset);
    if (offset + length > start)
      this.#pieces.push({ start, end: offset + length, bytes: payload.subarray(start - offset) });
  }

  /** How many different bytes crossed. */
  get length(): number {
    let sum = 0;
    let reached = 0;
    for (const { start, end } of this.#sorted()) {
      sum += Math.max(0, end - Math.max(start, reached));
      reached = Math.max(reached, end);
    }
    return sum;
  }

  /** The bytes from the first on; `complete` unless the capture lacks some. */
  bytes(): { bytes: Uint8Array; complete: boolean } {
    const parts: Uint8Array[] = [];
    let reached = 0;
    let complete = this.whole;
    for (const { start, end, bytes } of this.#sorted()) {
      if (end <= reached) continue;
      const fresh = bytes.subarray(reached - start);
      if (start > reached || bytes.length < end - start) {
        complete = false;
        if (start > reached) break;
      }
      parts.push(fresh);
      reached = start + bytes.length;
      if (bytes.length < end - start) break;
    }
    return { bytes: Buffer.concat(parts), complete };
  }

  #sorted(): { start: number; end: number; bytes: Uint8Array }[] {
    return this.#pieces.toSorted((a, b) => a.start - b.start || b.end - a.end);
  }
}

/** A TCP connection as a capture shows it. */
export interface TcpConnection {
  /** The end that sent the first SYN; the first one seen when that is not in the capture. */
  readonly local: string;
  readonly remote: string;
  readonly out: TcpStream;
  readonly in: TcpStream;
  readonly from: number;
  to: number;
  /** Its beginning is in the capture. */
  readonly begun: boolean;
  /** Directions that said FIN. */
  readonly fins: Set<string>;
  reset: boolean;
}

/** The connections of these segments that have one of `remotes` at one end, oldest first. */
export function connectionsTo(remotes: ReadonlySet<string>, segments: Iterable<TcpSegment>): TcpConnection[] {
  const all: TcpConnection[] = [];
  const current = new Map<string, TcpConnection>();
  for (const segment of segments) {
    const outwards = remotes.has(segment.to);
    if (!outwards && !remotes.has(segment.from)) continue;
    const [local, remote] = outwards ? [segment.to, segment.from].toReversed() : [segment.to, segment.from];
    const key = `${local} ${remote}`;
    const opening = outwards && segment.syn && !segment.ack;
    let connection = current.get(key);
    // Ports are used again; a SYN that is sent again is the same connection.
    if (connection === undefined || (opening && (connection.reset || connection.fins.size > 0))) {
      connection = begin(local ?? '', remote ?? '', segment, opening);
      current.set(key, connection);
      all.push(connection);
    }
    connection.to = segment.t;
    connection.reset ||= segment.rst;
    if (segment.fin) connection.fins.add(segment.from);
    (outwards ? connection.out : connection.in).take(segment);
  }
  return all;
}

function begin(local: string, remote: string, { t }: TcpSegment, begun: boolean): TcpConnection {
  return {
    local,
    remote,
    out: new TcpStream(),
    in: new TcpStream(),
    from: t,
    to: t,
    begun,
    fins: new Set(),
    reset: false,
  };
}
