import { utf8 } from '@ringfence/base';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import type { Asker } from '../http/route.ts';
import type { FactorHolder } from '../members/identity-tables.ts';

/** What stands in a ceremony's row for the browser that began it, which is named by its session, its fresh key, or a secret that it was handed. */
export function browserDigest(name: string): Digest {
  return sha256Hex(utf8(`ringfence/browser/v1\0${name}`));
}

/** To what a factor that somebody gives is bound. */
export function holderOf(asker: Asker): FactorHolder {
  return 'device' in asker ? asker.device : asker.session;
}
