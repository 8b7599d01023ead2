import type { ServerOptions, WebSocket } from 'ws';
import { FRAME_SIZES } from '@ringfence/protocol/frames';
import type { Clock } from '@ringfence/base';

/** The WebSocket subprotocol of a control link. */
export const LINK_PROTOCOL = 'ringfence-control-1';
/** The path that a party dials. */
export const LINK_PATH = '/v1/link';

const LARGEST = FRAME_SIZES[2];
/** Settings that both ends of the WebSocket share: no compression (sizes are fixed), nothing longer than a frame. */
export const SOCKET_SETTINGS = { perMessageDeflate: false, maxPayload: LARGEST } as const;

/** Options for the control plane's `WebSocketServer`; it refuses clients that do not offer the subprotocol. */
export const LINK_SOCKET_OPTIONS = {
  ...SOCKET_SETTINGS,
  noServer: true,
  clientTracking: false,
  handleProtocols: (offered: Set<string>) => (offered.has(LINK_PROTOCOL) ? LINK_PROTOCOL : false),
} as const satisfies ServerOptions;

const CLOSE_WITHIN = 2_000;
/** Bytes that may still arrive while a socket closes: what an honest sender's budget lets be on its way. */
const MOST_LATE = 16_384;

/** One WebSocket as a carrier of frames; counts what crosses until it is closed. */
export class FrameTransport {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  #bytesIn = 0;
  #bytesOut = 0;
  #closing = false;
  #cut = false;
  #late = 0;

  /**
   * `onFrame` gets each binary message, also those that still arrive while the socket closes; `onOther` is told of
   * anything else (text with its bytes, something longer than a frame without); `onOver` comes once and last, whoever
   * closed the socket.
   */
  constructor(
    socket: WebSocket,
    clock: Clock,
    events: {
      onFrame: (bytes: Uint8Array) => void;
      onOther: (bytes: Uint8Array | undefined) => void;
      onOver: () => void;
    },
  ) {
    this.#socket = socket;
    this.#clock = clock;
    socket.on('message', (data: unknown, isBinary: boolean) => {
      if (this.#cut) return;
      if (!(data instanceof Uint8Array)) return events.onOther(undefined);
      if (this.#closing && (this.#late += data.length) > MOST_LATE) return this.cut();
      this.#bytesIn += data.length;
      if (isBinary) events.onFrame(data);
      else events.onOther(data);
    });
    socket.on('error', (error: Error & { code?: string }) => {
      // Anything that breaks the WebSocket protocol, an overlong message above all; other errors end in 'close'.
      if (error.code?.startsWith('WS_ERR_') === true) events.onOther(undefined);
    });
    socket.once('close', () => {
      this.#closing = true;
      events.onOver();
    });
  }

  /** Bytes of messages that arrived, refused ones included. */
  get bytesIn(): number {
    return this.#bytesIn;
  }

  /** Bytes of frames handed to the socket. */
  get bytesOut(): number {
    return this.#bytesOut;
  }

  /** Sends one frame; false when the socket is closing already. */
  send(bytes: Uint8Array): boolean {
    if (this.#closing || this.#socket.readyState !== this.#socket.OPEN) return false;
    this.#socket.send(bytes);
    this.#bytesOut += bytes.length;
    return true;
  }

  /** Stops or resumes reading. */
  hold(paused: boolean): void {
    if (paused && !this.#closing) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Ends the connection; what was sent still leaves, and what was on its way still arrives, for two seconds and 16 KiB. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket.resume();
    this.#socket.close(1000);
    this.#socket.once(
      'close',
      this.#clock.after(CLOSE_WITHIN, () => this.#socket.terminate()),
    );
  }

  /** Ends the connection at once. */
  cut(): void {
    this.#closing = true;
    this.#cut = true;
    this.#socket.resume();
    this.#socket.terminate();
  }
}
