import { isIP } from 'node:net';
import { ControlPlaneError } from '../control-plane-error.ts';

/** Where passkeys are made and used: at `origin` and nowhere else, for the host `rpId` (WebAuthn §5.1.2). */
export interface RelyingParty {
  readonly origin: string;
  readonly rpId: string;
}

/**
 * The relying party of a control plane that people reach at `url`. Throws ControlPlaneError `unavailable` where that is no https URL of a host
 * name: no browser makes a passkey for an address.
 */
export function relyingPartyOf(url: string): RelyingParty {
  const { protocol, hostname, origin } = new URL(url);
  if (protocol === 'https:' && isIP(hostname.replaceAll(/[[\]]/g, '')) === 0) return { origin, rpId: hostname };
  throw new ControlPlaneError(
    'unavailable',
    'this control plane has no host name, and no passkey is made for an address',
    {
      next: 'its operator starts it with --url https://NAME:PORT or --name NAME',
    },
  );
}
