import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { RELAY_CLOSE, relayCloseReason } from '../relay-protocol/index.ts';
import { ClientError } from '../error.ts';
import { relayCloseError } from './relay-close-error.ts';

/** Bytes of the longest binary message on a relayed link. */
export const MAX_LINK_MESSAGE = 65_536;

const END = new Uint8Array(0);

/**
 * A byte stream over an open WebSocket whose reading is paused: binary messages of 1 to 65,536 bytes carry bytes, an
 * empty one ends its direction (WebSockets have no half-close). One write is under way at a time and reading pauses when
 * the reader lags, so at most two high-water marks are held. Errors are ClientErrors named by the relay's close code.
 */
export function webSocketStream(socket: WebSocket): Duplex {
  return new WebSocketStream(socket);
}

class WebSocketStream extends Duplex {
  readonly #socket: WebSocket;
  #remoteEnded = false;

  constructor(socket: WebSocket) {
    super({ allowHalfOpen: true, highWaterMark: MAX_LINK_MESSAGE });
    this.#socket = socket;
    socket.on('message', (data, isBinary) => this.#take(data as Buffer, isBinary));
    socket.on('error', (cause) => this.destroy(broken(cause)));
    socket.on('close', (code) => this.#closed(code));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    let at = 0;
    const next = (error?: Error | null): void => {
      if (error) return done(broken(error));
      if (at >= chunk.length) return done();
      const piece = chunk.subarray(at, at + MAX_LINK_MESSAGE);
      at += piece.length;
      this.#socket.send(piece, { binary: true }, next);
    };
    next();
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.send(END, { binary: true }, (error) => done(error ? broken(error) : null));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#remoteEnded && this.writableFinished) {
      this.#socket.close(RELAY_CLOSE.done);
      // A paused socket would not see the answer to the close frame.
      this.#socket.resume();
    } else this.#socket.terminate();
    done(error);
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (this.destroyed) return;
    if (!isBinary || this.#remoteEnded) return void this.destroy(broken());
    if (data.length === 0) {
      this.#remoteEnded = true;
      this.push(null);
    } else if (!this.push(data)) this.#socket.pause();
  }

  #closed(code: number): void {
    if (this.#remoteEnded && this.writableFinished) return;
    const reason = relayCloseReason(code);
    this.destroy(reason === undefined || reason === 'done' ? broken() : relayCloseError(reason));
  }
}

function broken(cause?: unknown): ClientError {
  return new ClientError('link-broken', 'the link broke', { cause, next: 'try again' });
}
