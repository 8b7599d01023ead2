import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64Url, Secret, toBase64Url, utf8, fromUtf8, type Clock, type Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { createLinkIdentity, storedLinkIdentity, type LinkIdentity } from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SealPrivateKey } from '@ringfence/crypto/open';
import { openAtRest, sealAtRest, type RecordKey } from '@ringfence/crypto/record';
import { SigningKey } from '@ringfence/crypto/sign';
import { bytes32 } from '@ringfence/protocol';
import { z } from 'zod';
import { AgentError } from '../agent-error.ts';

/** Who an agent is towards one organisation: no key serves two. */
export interface AgentIdentity {
  /** Signs frames and statements. */
  readonly sign: SigningKey;
  /** Proves who is on a payload link. */
  readonly link: LinkIdentity;
  /** Opens what is sealed to this agent. */
  readonly seal: SealPrivateKey;
}

const KEYS = 'identity.sealed';
const CERTIFICATE = 'tls.pem';
const seeds = z.strictObject({ v: z.literal(1), sign: bytes32, tls: bytes32, seal: bytes32 });

/**
 * The identity in `folder`, made on first use: seeds sealed at rest, and the TLS certificate beside them, since making one costs more
 * than everything else that a start loads. Throws AgentError `bad-state`.
 */
export async function makeIdentity(
  folder: string,
  key: RecordKey,
  { clock, rng }: { clock: Clock; rng: Rng },
): Promise<AgentIdentity> {
  if (existsSync(join(folder, KEYS)) && existsSync(join(folder, CERTIFICATE))) return openIdentity(folder, key);
  const [sign, tls, seal] = [SigningKey.generate(rng), TlsKey.generate(rng), SealPrivateKey.generate(rng)];
  const link = await createLinkIdentity({ key: tls, clock, rng });
  writeFileAtomic(join(folder, CERTIFICATE), link.tls.certificatePem);
  const stored = { v: 1, ...seedsOf({ sign, tls, seal }) };
  writeFileAtomic(join(folder, KEYS), sealAtRest(key, { file: KEYS }, utf8(JSON.stringify(stored)), rng));
  return { sign, link, seal };
}

/** The identity in `folder`; throws AgentError `bad-state`. */
export function openIdentity(folder: string, key: RecordKey): AgentIdentity {
  try {
    const opened = openAtRest(key, { file: KEYS }, readFileSync(join(folder, KEYS)));
    const stored = seeds.parse(JSON.parse(fromUtf8(opened)));
    const seed = (name: 'sign' | 'tls' | 'seal'): Secret => new Secret(fromBase64Url(stored[name]));
    return {
      sign: SigningKey.fromSeed(seed('sign')),
      link: storedLinkIdentity(TlsKey.fromSeed(seed('tls')), readFileSync(join(folder, CERTIFICATE), 'utf8')),
      seal: SealPrivateKey.fromSeed(seed('seal')),
    };
  } catch (cause) {
    throw new AgentError('bad-state', 'the identity of this agent cannot be opened', {
      cause,
      next: 'restore the state folder and its seal key from a backup, or join again in a new folder',
    });
  }
}

function seedsOf(keys: {
  sign: SigningKey;
  tls: TlsKey;
  seal: SealPrivateKey;
}): Record<'sign' | 'tls' | 'seal', string> {
  const text = (secret: Secret): string => toBase64Url(secret.expose());
  return { sign: text(keys.sign.seed()), tls: text(keys.tls.seed()), seal: text(keys.seal.seed()) };
}
