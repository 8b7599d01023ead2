import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64Url, Secret, toBase64Url, type Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { HANDSHAKE_SEED_BYTES, HandshakeSeed } from '@ringfence/crypto/channel';
import { ClientError } from '../error.ts';

const NAME = 'handshake-seed';

/** The seed of a link's handshakes in its folder, drawn on first use. Throws ClientError `bad-identity`. */
export function openHandshakeSeed(folder: string, rng: Rng): HandshakeSeed {
  const path = join(folder, NAME);
  if (!existsSync(path)) writeFileAtomic(path, `${toBase64Url(rng.bytes(HANDSHAKE_SEED_BYTES))}\n`);
  const seed = readHandshakeSeed(folder);
  if (seed !== undefined) return seed;
  throw new ClientError('bad-identity', 'the handshake seed of this link is damaged', {
    next: `restore ${NAME} from a backup, or delete it: the journal then commits to a new one`,
  });
}

/** The seed in a link's folder; undefined when there is none or it is damaged. */
export function readHandshakeSeed(folder: string): HandshakeSeed | undefined {
  try {
    return new HandshakeSeed(new Secret(fromBase64Url(readFileSync(join(folder, NAME), 'utf8').trimEnd())));
  } catch {
    return undefined;
  }
}
