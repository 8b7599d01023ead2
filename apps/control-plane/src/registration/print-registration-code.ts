import { parseDigest } from '@ringfence/crypto/sign';
import { ownCertificate } from '@ringfence/client/server-certificate';
import { ControlPlaneError } from '../control-plane-error.ts';
import { openKeyFolder } from '../identity/key-folder.ts';
import { noFault } from '../fault-points.ts';
import { recordEvent } from '../ledger/record-event.ts';
import { PlacerTerm } from '../placement/placer-term.ts';
import { openStore } from '../store/open-store.ts';
import type { StartParts } from '../start.ts';
import { addRegistrationCode } from './registration-codes.ts';

/** Prints one more registration code, beside a running control plane on the same database. Needs `--url`, which the code carries. */
export async function printRegistrationCode({ config, clock, rng, log, replica }: StartParts): Promise<void> {
  if (config.url === undefined)
    throw new ControlPlaneError('bad-config', '--url is missing', {
      next: 'name the URL that custodians use: --url https://host:port',
    });
  const opened = await openStore({ stateDir: config.state, url: config.databaseUrl, clock, log });
  try {
    const identity = openKeyFolder(config.keys, { clock, rng });
    const term = new PlacerTerm({ store: opened.store, replica, clock, log });
    const context = {
      store: opened.store,
      identity,
      replica,
      clock,
      rng,
      log,
      term,
      record: recordEvent(clock),
      fault: noFault,
    };
    const pin =
      config.certificate === undefined
        ? (await ownCertificate({ state: config.state, names: config.names, clock, rng })).caFingerprint
        : null;
    const caPin = pin === null ? null : (parseDigest(pin) ?? null);
    const code = await addRegistrationCode(context, {
      id: identity.id,
      url: config.url,
      root: identity.root.publicKey,
      caPin,
    });
    process.stdout.write(`${Buffer.from(code.text().expose()).toString()}\n`);
  } finally {
    await opened.close();
  }
}
