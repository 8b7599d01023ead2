import { epochMs, type EpochMs } from '@ringfence/base';
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  type Configuration,
} from 'openid-client';
import type { Decision } from '@ringfence/policy';

/** What a browser takes along to the provider, and what stays here. */
export interface CodeFlow {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE (RFC 7636), S256. */
  readonly verifier: string;
  /** How old the provider's own sign-in of the person may be, in seconds. */
  readonly maxAgeS: number;
  /** What the provider calls the level that is wanted of it, or null. */
  readonly acr: string | null;
}

/** The provider's word on who is there. */
export interface SignedOn {
  readonly subject: string;
  /** When the person signed in there: its `auth_time`. */
  readonly at: EpochMs;
  readonly acr: string | undefined;
}

/** Where a browser goes to sign in at the provider: `openid` alone is asked for, so no name or address comes back. */
export async function signOnUrl(config: Configuration, flow: CodeFlow): Promise<string> {
  const url = buildAuthorizationUrl(config, {
    redirect_uri: flow.redirectUri,
    response_type: 'code',
    scope: 'openid',
    state: flow.state,
    nonce: flow.nonce,
    code_challenge: await calculatePKCECodeChallenge(flow.verifier),
    code_challenge_method: 'S256',
    max_age: String(flow.maxAgeS),
    ...(flow.acr === null ? {} : { acr_values: flow.acr }),
  });
  return url.href;
}

/**
 * Redeems the code with which the provider sent the browser back (`search`: the query of that URL): state, issuer (RFC 9207), nonce, audience,
 * signature and `auth_time` are checked. No reason is told apart, and nothing of the token is kept beside what is returned.
 */
export async function signedOn(
  config: Configuration,
  flow: CodeFlow,
  search: string,
): Promise<Decision<'not-verified', { readonly who: SignedOn }>> {
  const url = new URL(flow.redirectUri);
  url.search = search;
  try {
    const tokens = await authorizationCodeGrant(config, url, {
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      pkceCodeVerifier: flow.verifier,
      maxAge: flow.maxAgeS,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined || typeof claims.auth_time !== 'number')
      return { allow: false, reasons: ['not-verified'] };
    const acr = typeof claims['acr'] === 'string' ? claims['acr'] : undefined;
    return { allow: true, who: { subject: claims.sub, at: epochMs(claims.auth_time * 1000), acr } };
  } catch {
    return { allow: false, reasons: ['not-verified'] };
  }
}
