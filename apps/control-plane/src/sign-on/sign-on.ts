import { isId, jsonOf, toBase64Url, utf8, type MemberId, type OrgId, type SsoProviderId } from '@ringfence/base';
import { openAtRest, sealAtRest, type RestingPlace } from '@ringfence/crypto/record';
import type { Digest } from '@ringfence/crypto/sign';
import { z } from 'zod';
import { beginCeremony, spendCeremony, type SpentCeremony } from '../ceremonies/ceremony.ts';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { GivenFactor } from '../members/given-factors.ts';
import type { FactorHolder } from '../members/identity-tables.ts';
import { keyedDigest } from '../members/keyed-digest.ts';
import { browserDigest } from '../passkeys/browser-digest.ts';
import { signedOn, signOnUrl, type CodeFlow, type SignedOn } from './code-flow.ts';
import type { ProviderClients } from './provider-client.ts';
import { findProvider, termsOf, type StoredProvider } from './provider-rows.ts';

/** What signing on is for: a session, a further factor of an open one, or the link by which the provider's word is a member's. */
export type SignOnPurpose = 'sign-in' | 'step-up' | 'link';

/** Who goes to the provider, and what comes of it. */
export interface SignOnAsked {
  readonly provider: SsoProviderId;
  readonly purpose: SignOnPurpose;
  /** What names the browser: its session, or the fresh key of a sign-in. */
  readonly browser: string;
  /** Of an open session. */
  readonly of?: { readonly org: OrgId; readonly member: MemberId; readonly holder: FactorHolder } | undefined;
}

/** What the browser came back with, and what it was for. */
export interface SignOnEnd {
  readonly search: string;
  readonly purpose: SignOnPurpose;
  readonly browser: string;
  readonly holder: FactorHolder | null;
}

/** Whom the provider speaks of. */
export interface SignOnResult {
  readonly provider: StoredProvider;
  readonly subject: Digest;
  readonly factor: GivenFactor;
  readonly spent: SpentCeremony;
}

/** What this takes beside the services that all share. */
export interface SignOnParts {
  readonly context: ControlPlaneContext;
  readonly clients: ProviderClients;
  /** Where this control plane is for browsers. */
  readonly origin: string;
}

/** Where the provider sends browsers back to; it has to list this very URL. */
export const SIGNED_ON_PATH = '/account/signed-on';
/** A sign-in at the provider that is older is asked for anew there: a session asks for factors of the last 15 minutes. */
const MAX_AGE_S = 600;

const secrets = z.strictObject({
  nonce: z.string(),
  verifier: z.string(),
  purpose: z.enum(['sign-in', 'step-up', 'link']),
});

/** The provider's URL for a browser that signs on. Throws ControlPlaneError `not-found`, `unavailable`. */
export async function beginSignOn(
  { context, clients, origin }: SignOnParts,
  { provider: id, purpose, browser, of }: SignOnAsked,
): Promise<string> {
  const { rng, identity } = context;
  const provider = await findProvider(context, id);
  if (of !== undefined && of.org !== provider.org) throw signOnRefused();
  const config = await clients.client(termsOf(context, provider));
  const [nonce, verifier] = [toBase64Url(rng.bytes(32)), toBase64Url(rng.bytes(32))];
  const begun = await beginCeremony(
    context,
    { kind: 'sso', browser: browserDigest(browser), of: of ?? { org: provider.org }, provider: id },
    (ceremony) => ({
      challenge: `${ceremony}.${toBase64Url(rng.bytes(32))}`,
      secretBox: sealAtRest(
        identity.records,
        placeOf(ceremony),
        utf8(JSON.stringify({ nonce, verifier, purpose } satisfies z.infer<typeof secrets>)),
        rng,
      ),
    }),
  );
  return signOnUrl(config, flowOf(origin, provider, { state: begun.challenge, nonce, verifier }));
}

/**
 * Redeems what a browser came back with; the state is spent first. Throws ControlPlaneError `not-authenticated` for every reason, `unavailable`
 * when the provider is away.
 */
export async function endSignOn(
  { context, clients, origin }: SignOnParts,
  { search, purpose, browser, holder }: SignOnEnd,
): Promise<SignOnResult> {
  const states = new URLSearchParams(search).getAll('state');
  const [ceremony = ''] = states[0]?.split('.') ?? [];
  if (states.length !== 1 || !isId('ceremony', ceremony)) throw signOnRefused();
  const spent = await spendCeremony(context, { ceremony, kind: 'sso', browser: browserDigest(browser), holder });
  if (spent?.provider === null || spent?.secret_box === null || spent === undefined) throw signOnRefused();
  const opened = openAtRest(context.identity.records, placeOf(ceremony), spent.secret_box);
  const { purpose: begunFor, ...kept } = secrets.parse(jsonOf(opened));
  if (begunFor !== purpose) throw signOnRefused();
  const provider = await findProvider(context, spent.provider);
  const config = await clients.client(termsOf(context, provider));
  const verified = await signedOn(config, flowOf(origin, provider, { state: spent.challenge, ...kept }), search);
  if (!verified.allow) throw signOnRefused();
  return {
    provider,
    spent,
    subject: subjectDigest(context, provider, verified.who),
    factor: factorOf(provider, verified.who),
  };
}

/** Of the subject only this is kept: nobody reads from it who it is, and the same person at two issuers has two. */
function subjectDigest({ identity }: ControlPlaneContext, { issuer }: StoredProvider, { subject }: SignedOn): Digest {
  return keyedDigest(identity.records, 'sso-subject', `${issuer}\0${subject}`) as Digest;
}

function factorOf({ assures, acr }: StoredProvider, who: SignedOn): GivenFactor {
  return { kind: 'sso', at: who.at, traits: { assures: acr === null || acr === who.acr ? assures : 1 } };
}

function flowOf(
  origin: string,
  { acr }: StoredProvider,
  kept: Pick<CodeFlow, 'state' | 'nonce' | 'verifier'>,
): CodeFlow {
  return { ...kept, redirectUri: `${origin}${SIGNED_ON_PATH}`, maxAgeS: MAX_AGE_S, acr };
}

/** The same for whatever was wrong with a sign-on. */
export function signOnRefused(): ControlPlaneError {
  return new ControlPlaneError('not-authenticated', 'this sign-on was not taken', {
    next: 'begin again, in the browser in which you began, within five minutes',
  });
}

function placeOf(ceremony: string): RestingPlace {
  return { table: 'ceremony', column: 'secret_box', row: ceremony };
}
