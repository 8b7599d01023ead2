import { fromUtf8 } from './bytes.ts';

/**
 * The value of JSON text, or of its UTF-8 bytes (RFC 8259); undefined, which no JSON text means, for anything else. The parser's own message
 * would quote the text, so the caller says what was wrong.
 */
export function jsonOf(source: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof source === 'string' ? source : fromUtf8(source));
  } catch {
    return undefined;
  }
}
