import { Writable } from 'node:stream';
import { shown } from './terminal.ts';

/** Where bytes go; a terminal says so. */
export type ByteOutput = Writable & { readonly isTTY?: boolean };

/** What may be the beginning of something that the next bytes decide: a colour, or the end of a line as Windows writes it. */
const UNDECIDED = new RegExp(String.raw`\r?(?:${'\u001b'}(?:\[[0-9;]{0,32})?)?$`, 'u');

/** Bytes of others as text that commands no terminal, wherever they are cut: the pieces together are {@link shown} of the whole. */
export class ShownBytes {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #waiting = '';

  /** What can be shown now. */
  push(bytes: Uint8Array): string {
    const text = this.#waiting + this.#decoder.decode(bytes, { stream: true });
    const at = text.search(UNDECIDED);
    this.#waiting = text.slice(at);
    // The letter stands for what comes next: only the whole has an end.
    return shown(`${text.slice(0, at)}x`).slice(0, -1);
  }

  /** The rest. */
  end(): string {
    const text = this.#waiting + this.#decoder.decode();
    this.#waiting = '';
    return shown(text);
  }
}

/** `to` itself where it is a file or a pipe, or `raw` is wished; in front of a terminal a stream that makes commands visible. End it, not `to`. */
export function inFrontOf(
  to: ByteOutput,
  raw: boolean,
): { readonly stream: Writable; readonly end: () => Promise<void> } {
  if (raw || to.isTTY !== true) return { stream: to, end: () => Promise.resolve() };
  const bytes = new ShownBytes();
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => void to.write(bytes.push(chunk), done),
    final: (done) => void to.write(bytes.end(), done),
  });
  return { stream, end: () => new Promise((resolve) => stream.end(resolve)) };
}
