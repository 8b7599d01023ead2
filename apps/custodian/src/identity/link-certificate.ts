import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { createLinkIdentity, storedLinkIdentity, type LinkIdentity } from '@ringfence/client/payload-link';
import type { TlsKey } from '@ringfence/crypto/certificate';

/** The custodian's identity on payload links; its certificate is made once and kept, since making one loads 20 MB of code. */
export async function openLinkIdentity(
  state: string,
  key: TlsKey,
  time: { clock: Clock; rng: Rng },
): Promise<LinkIdentity> {
  const file = join(state, 'link-certificate.pem');
  if (existsSync(file)) return storedLinkIdentity(key, readFileSync(file, 'utf8'));
  const identity = await createLinkIdentity({ key, ...time });
  writeFileAtomic(file, identity.tls.certificatePem);
  return identity;
}
