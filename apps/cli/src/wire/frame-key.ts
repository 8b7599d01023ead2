import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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

const DEEPEST = 4;

/** Why {@link readFrameKey} found no key for the link in `folder`, and what to do about it. */
export function whyNoFrameKey(folder: string, sealKeyFile: string): string {
  if (!existsSync(join(folder, 'identity.sealed'))) return 'this party’s frame key is not kept beside its journal';
  if (existsSync(sealKeyFile))
    return `${sealKeyFile} does not open this agent’s identity: name its own with --seal-key-file`;
  const near = sealKeyAbove(folder);
  const next = near === undefined ? 'name the agent’s seal key' : `${near} may be it`;
  return `there is no ${sealKeyFile}: --state names the agent’s whole state folder; ${next} with --seal-key-file`;
}

/** The seal key of the state folder that a link's folder lies in. */
function sealKeyAbove(folder: string): string | undefined {
  let at = resolve(folder);
  for (let step = 0; step < DEEPEST; step += 1) {
    at = dirname(at);
    if (existsSync(join(at, 'seal.key'))) return join(at, 'seal.key');
  }
  return undefined;
}
