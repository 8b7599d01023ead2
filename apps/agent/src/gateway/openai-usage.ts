import { jsonOf } from '@ringfence/base';
import { z } from 'zod';

/** Tokens of a language model. */
export interface TokenCount {
  readonly in: number;
  readonly out: number;
}

const usage = z.object({
  prompt_tokens: z.int().min(0).max(1e9),
  completion_tokens: z.int().min(0).max(1e9).default(0),
});
const event = z.object({ usage: usage.nullish() });

const LONGEST_LINE = 65_536;
const TAIL = 16_384;
/** The word and its object, whose own objects hold no others; in a text of the answer the quotes would be escaped. */
const USAGE = /^"usage"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})/;

/** Reads what an answer cost from its `usage` while it passes: of a stream in its events, of a JSON answer in its last 16 KiB. Keeps nothing else. */
export class UsageMeter {
  readonly #stream: boolean;
  #kept = '';
  #skipping = false;
  #events = 0;
  #found: TokenCount | undefined;

  constructor(contentType: string) {
    this.#stream = /^text\/event-stream\b/i.test(contentType);
  }

  /** Takes the next bytes of the body. */
  take(chunk: Uint8Array): void {
    // Only ASCII matters here; what other bytes decode to does not.
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    if (this.#stream) this.#lines(text);
    else this.#kept = (this.#kept + text.slice(-TAIL)).slice(-TAIL);
  }

  /** The tokens of the answer so far. A stream that says nothing of them counts one token an event: most send each token as one. */
  count(): TokenCount {
    if (this.#found !== undefined) return this.#found;
    if (this.#stream) return { in: 0, out: this.#events };
    // From the last one alone: a search from each would let a hostile answer cost much.
    const last = USAGE.exec(this.#kept.slice(Math.max(0, this.#kept.lastIndexOf('"usage"'))))?.[1];
    return (last === undefined ? undefined : readUsage(`{"usage":${last}}`)) ?? { in: 0, out: 0 };
  }

  #lines(text: string): void {
    const lines = text.split(/\r\n|\n|\r/);
    lines.forEach((line, index) => {
      const whole = index < lines.length - 1;
      if (!this.#skipping) this.#kept += line;
      if (this.#kept.length > LONGEST_LINE) {
        this.#kept = '';
        this.#skipping = true;
      }
      if (!whole) return;
      this.#line(this.#kept);
      this.#kept = '';
      this.#skipping = false;
    });
  }

  #line(line: string): void {
    if (!line.startsWith('data:')) return;
    const data = line.slice(5).trim();
    if (data === '[DONE]' || data === '') return;
    if (data.includes('"usage"')) this.#found = readUsage(data) ?? this.#found;
    this.#events += 1;
  }
}

function readUsage(json: string): TokenCount | undefined {
  const found = event.safeParse(jsonOf(json)).data?.usage;
  return found === null || found === undefined ? undefined : { in: found.prompt_tokens, out: found.completion_tokens };
}
