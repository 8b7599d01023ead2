import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, type Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { RecordKey } from '@ringfence/crypto/record';
import { AgentError } from '../agent-error.ts';

/** The key that seals this agent's secrets at rest: 32 bytes in a file (0600), made on first use. Throws AgentError `bad-state`. */
export function sealKey(state: string, file: string | undefined, rng: Rng): RecordKey {
  const path = file ?? join(state, 'seal.key');
  try {
    if (existsSync(path)) return RecordKey.fromBytes(Uint8Array.from(readFileSync(path)));
    const key = RecordKey.generate(rng);
    writeFileAtomic(path, key.secret.expose());
    return key;
  } catch (cause) {
    throw new AgentError('bad-state', `the seal key ${path} cannot be used: ${messageOf(cause)}`, {
      cause,
      next: 'name the file that was used before with --seal-key-file',
    });
  }
}
