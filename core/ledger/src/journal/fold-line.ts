import { canonicalJson } from '@ringfence/base';
import { moment, sha256, whole } from '@ringfence/protocol';
import { MESSAGES } from '@ringfence/protocol/messages';
import { z } from 'zod';
import type { JournalFields, JournalRecordOf } from './journal-record.ts';

/** The messages of which runs fold, and the direction in which each crosses. */
const FOLDED: ReadonlyMap<number, 'in' | 'out'> = new Map([
  [MESSAGES.heartbeat.number, 'out'],
  [MESSAGES.ack.number, 'out'],
  [MESSAGES.renew.number, 'in'],
  [MESSAGES['control-ack'].number, 'in'],
]);
const RENEW = MESSAGES.renew.number;
const SMALLEST = 512;
/** A fold has at most so many frames. */
export const MOST_FOLDED = 512;

const safe = whole(0, Number.MAX_SAFE_INTEGER);
const foldedFrame = z.strictObject({
  /** Milliseconds since the record before; 0 in the first. */
  d: safe,
  /** Message number. */
  m: whole(0, 0xffff),
  /** Body, without the echo of a renewal; left out when it is that of the last frame of this number. */
  b: z.record(z.string(), z.json()).optional(),
  /** Echo of a renewal; left out when it names the newest frame of this fold that went out. */
  e: safe.optional(),
  s: z.base64().length(88).optional(),
  /** Base64 of the 32 bytes of `wire`. */
  w: z.base64().length(44),
  /** Size in bytes; left out for the smallest. */
  z: z.union([z.literal(512), z.literal(2_048), z.literal(8_192)]).optional(),
});

/** A line that stands for a run of frame records; docs/protocol/control-link.md, "Folds". */
export const foldLine = z.strictObject({
  kind: z.literal('fold'),
  conn: z.string().regex(/^[0-9a-f]{16}$/),
  seq: whole(1, Number.MAX_SAFE_INTEGER),
  t: moment,
  hash_prev: sha256,
  hash: sha256,
  /** Sequence of the next frame of each direction. */
  in: safe,
  out: safe,
  frames: z.array(foldedFrame).min(2).max(MOST_FOLDED),
});

/** One frame of a fold. */
export type FoldedFrame = z.infer<typeof foldedFrame>;
type FrameRecord = JournalRecordOf<'frame'>;
type FrameFields = Extract<JournalFields, { kind: 'frame' }>;

/** Whether runs of this message fold. */
export function folds({ number, dir, mid, body }: FrameRecord): boolean {
  return FOLDED.get(number) === dir && mid === 0 && (number !== RENEW || safe.safeParse(body['echo']).success);
}

/** What a frame of a fold may leave out, since frames before it have said it. */
export class FoldMemory {
  readonly #conn: string;
  readonly #next: Record<'in' | 'out', number | undefined>;
  readonly #bodies = new Map<number, string>();
  #newestOut: number | undefined;

  constructor(conn: string, next: { readonly in?: number; readonly out?: number } = {}) {
    this.#conn = conn;
    this.#next = { in: next.in, out: next.out };
  }

  /** The frame in short, `d` milliseconds after the one before; undefined when it does not continue this run. */
  shorten(record: FrameRecord, d: number): FoldedFrame | undefined {
    const { dir, n, number: m, conn, sig, size, wire } = record;
    if (conn !== this.#conn || !folds(record) || (this.#next[dir] ?? n) !== n) return undefined;
    const { echo, rest } = withoutEcho(record);
    const body = canonicalJson(rest);
    const frame = {
      d,
      m,
      ...(this.#bodies.get(m) === body ? {} : { b: rest }),
      ...(echo === undefined || echo === this.#newestOut ? {} : { e: echo }),
      ...(sig === undefined ? {} : { s: sig }),
      w: Buffer.from(wire, 'hex').toString('base64'),
      ...(size === SMALLEST ? {} : { z: size }),
    };
    this.#remember(m, dir, n, body);
    return frame;
  }

  /** The frame in full; undefined when it leaves out what nothing before it has said. */
  expand({ m, b, e, s, w, z: size = SMALLEST }: FoldedFrame): FrameFields | undefined {
    const dir = FOLDED.get(m);
    const known = b === undefined ? this.#bodies.get(m) : canonicalJson(b);
    const n = dir === undefined ? undefined : this.#next[dir];
    if (dir === undefined || known === undefined || n === undefined) return undefined;
    const echo = e ?? this.#newestOut;
    if (m === RENEW ? echo === undefined : e !== undefined) return undefined;
    this.#remember(m, dir, n, known);
    const rest = JSON.parse(known) as FrameFields['body'];
    return {
      kind: 'frame',
      conn: this.#conn,
      dir,
      n,
      number: m,
      mid: 0,
      body: m === RENEW ? { ...rest, echo: echo ?? 0 } : rest,
      ...(s === undefined ? {} : { sig: s }),
      size,
      wire: Buffer.from(w, 'base64').toString('hex') as FrameFields['wire'],
    };
  }

  #remember(m: number, dir: 'in' | 'out', n: number, body: string): void {
    this.#bodies.set(m, body);
    this.#next[dir] = n + 1;
    if (dir === 'out') this.#newestOut = n;
  }
}

/** A renewal's echo apart from the rest of its body, when it is a number that a record may have. */
function withoutEcho({ number, body }: FrameRecord): { echo?: number; rest: FrameRecord['body'] } {
  const { echo, ...rest } = body;
  return number === RENEW ? { echo: Number(echo), rest } : { rest: body };
}
