import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CustodianError } from '../../../custodian-error.ts';

/** Path of the PKCS#11 addon's package; throws CustodianError `bad-config` that says how it is built when it is not. */
export function nativeAddon(): string {
  const main = pathOf('pkcs11js');
  if (main !== undefined && existsSync(join(dirname(main), 'build/Release/pkcs11.node'))) return main;
  throw new CustodianError('bad-config', 'the PKCS#11 provider needs its native part, which is not built here', {
    next: 'npm rebuild pkcs11js --ignore-scripts=false (with a C++ compiler and Python), as docs/operate/key-providers.md says',
  });
}

function pathOf(name: string): string | undefined {
  try {
    return fileURLToPath(import.meta.resolve(name));
  } catch {
    return undefined;
  }
}
