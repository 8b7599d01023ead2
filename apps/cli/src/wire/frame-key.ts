import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64Url, fromUtf8, Secret } from '@ringfence/base';
import { openAtRest, RecordKey } from '@ringfence/crypto/record';
import { SigningKey, type SigningPublicKey } from '@ringfence/crypto/sign';
import { z } from 'zod';

/** An agent's sealed identity; only the seed of its frame key is of interest here. */
const identity = z.looseObject({ v: z.literal(1), sign: z.string() });

/**
 * The agent's frame key out of its identity in `folder`, opened with the seal key at `sealKeyFile`, when both can be read
 * and it is the key called `party`: with it, signatures are made again. Undefined otherwise.
 */
export function readFrameKey(folder: string, sealKeyFile: string, party: SigningPublicKey): SigningKey | undefined {
  try {
    const key = RecordKey.fromBytes(readFileSync(sealKeyFile));
    const opened = openAtRest(key, { file: 'identity.sealed' }, readFileSync(join(folder, 'identity.sealed')));
    const { sign } = identity.parse(JSON.parse(fromUtf8(opened)));
    const signing = SigningKey.fromSeed(new Secret(fromBase64Url(sign)));
    return signing.publicKey === party ? signing : undefined;
  } catch {
    return undefined;
  }
}
