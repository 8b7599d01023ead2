import { openKeyFolder } from '../identity/key-folder.ts';
import type { StartParts } from '../start.ts';
import { openStore } from '../store/open-store.ts';
import { addRegistrationCode } from './registration-codes.ts';
import { keptRoute } from './registration-route.ts';

/** One more registration code as text, made beside a running control plane on the same database or while it is stopped. */
export async function printRegistrationCode({ config, clock, rng, log }: StartParts): Promise<string> {
  const route = keptRoute(config.state, config.url);
  const { store, close } = await openStore({ stateDir: config.state, url: config.databaseUrl, clock, log });
  try {
    const identity = openKeyFolder(config.keys, { clock, rng });
    const code = await addRegistrationCode({ store, identity, clock, rng }, route);
    return Buffer.from(code.text().expose()).toString();
  } finally {
    await close();
  }
}
