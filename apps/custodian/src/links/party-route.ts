import { readFileSync } from 'node:fs';
import type { LanAddress } from '@ringfence/client/payload-link';
import { certificateFingerprint } from '@ringfence/crypto/certificate';
import type { PartyRoute } from '@ringfence/protocol/payload';
import type { CustodianConfig } from '../config.ts';

/** How others reach a custodian with this key, as codes carry it. */
export function routeOf(config: CustodianConfig, tls: PartyRoute['tls'], bound: LanAddress | undefined): PartyRoute {
  const { relay } = config;
  const pin = relayPin(config);
  const address =
    bound === undefined ? null : `${bound.host.includes(':') ? `[${bound.host}]` : bound.host}:${bound.port}`;
  return {
    tls,
    relay: relay === undefined ? null : { url: relay, caPin: pin },
    lan: bound === undefined ? null : (config.lanName ?? address),
  };
}

/** The relay's authority as codes pin it; null when its certificate is one that everybody trusts. */
function relayPin({ relayCa }: CustodianConfig) {
  return relayCa === undefined ? null : certificateFingerprint(readFileSync(relayCa));
}

/** Whom to trust to be the relay: its own authority, and that of a proxy which opens TLS on the way. */
export function relayTrust({ relayCa, caFile }: CustodianConfig): { caFile?: readonly string[] } {
  const files = [relayCa, caFile].filter((file) => file !== undefined);
  return files.length === 0 ? {} : { caFile: files };
}
