import type { JournalRecordOf } from '../journal/journal-record.ts';
import type { WireSocket } from './wire-report.ts';

interface Socket {
  readonly record: JournalRecordOf<'dial'>;
  readonly framesOut: number[];
  hangup: JournalRecordOf<'hangup'> | undefined;
}

/** The TCP connections that a journal tells of. */
export class RecordedSockets {
  readonly #sockets = new Map<number, Socket>();
  readonly #connections = new Map<string, Socket>();

  /** Takes a beginning or an end, the journal reaching back to record `first`; `socket` when there is no such connection or it is closed already. */
  take(record: JournalRecordOf<'dial'> | JournalRecordOf<'hangup'>, first: number): 'socket' | undefined {
    if (record.kind === 'dial') {
      this.#sockets.set(record.seq, { record, framesOut: [], hangup: undefined });
      return undefined;
    }
    const socket = this.#sockets.get(record.dial);
    // Its beginning may lie in a segment that was removed.
    if (socket === undefined) return record.dial < first ? undefined : 'socket';
    if (socket.hangup !== undefined) return 'socket';
    socket.hangup = record;
    return undefined;
  }

  /** A connection began on the TCP connection of this dial record; `socket` when that one is not open. */
  opened({ conn, dial, frame }: JournalRecordOf<'open'>): 'socket' | undefined {
    if (dial === undefined) return undefined;
    const socket = this.#sockets.get(dial);
    if (socket === undefined || socket.hangup !== undefined || socket.framesOut.length > 0) return 'socket';
    socket.framesOut.push(Buffer.byteLength(frame, 'base64'));
    this.#connections.set(conn, socket);
    return undefined;
  }

  /** A frame of `size` bytes went out on a connection. */
  sent(conn: string, size: number): void {
    this.#connections.get(conn)?.framesOut.push(size);
  }

  /** A connection ended, and so many bytes of its frames were handed to the socket: a beginning of what was recorded. */
  ended(conn: string, out: number): void {
    const socket = this.#connections.get(conn);
    for (let sum = 0, n = 0; socket !== undefined && n < socket.framesOut.length; n += 1) {
      sum += socket.framesOut[n] ?? 0;
      if (sum > out) socket.framesOut.length = n;
    }
  }

  /** All of them, in order. */
  result(): WireSocket[] {
    return Array.from(this.#sockets.values(), ({ record, hangup, framesOut }) => ({
      dial: record.seq,
      to: record.to,
      via: record.via,
      local: record.local,
      remote: record.remote,
      from: record.t,
      closed: hangup === undefined ? undefined : { at: hangup.t, in: hangup.in, out: hangup.out },
      framesOut,
    }));
  }
}
