import { closeSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, concatBytes } from '@ringfence/base';
import type { ChannelKeys, TrafficKey } from '@ringfence/crypto/channel';

/** Name of the file of session keys within a link's folder. */
export const SESSIONS_NAME = 'sessions.jsonl';

/**
 * The traffic keys of every connection, one line each: what `ringfence wire verify` needs to seal recorded frames again.
 * They open control frames only, which the journal beside them holds in clear.
 */
export class SessionKeysFile {
  readonly #fd: number;

  /** Opens or makes the file in `folder` and cuts off a torn last line. */
  constructor(folder: string) {
    const path = join(folder, SESSIONS_NAME);
    this.#fd = openSync(path, 'a+', 0o600);
    const bytes = readFileSync(path);
    const whole = bytes.lastIndexOf(10) + 1;
    if (whole < bytes.length) ftruncateSync(this.#fd, whole);
  }

  /** Keeps the keys of one connection (16 hexadecimal digits); on disk when this returns. */
  add(conn: string, keys: ChannelKeys): void {
    const line = canonicalJson({
      conn,
      'control-plane': exported(keys.responderToInitiator),
      party: exported(keys.initiatorToResponder),
    });
    writeSync(this.#fd, `${line}\n`);
    fdatasyncSync(this.#fd);
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#fd);
  }
}

/** Key and iv, 44 bytes in hexadecimal. */
function exported({ key, iv }: TrafficKey): string {
  return Buffer.from(concatBytes(key.expose(), iv)).toString('hex');
}
