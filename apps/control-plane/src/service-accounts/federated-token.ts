import { epochMs, type Clock, type EpochMs } from '@ringfence/base';
import type { Decision } from '@ringfence/policy';
import { TOKEN_ALGORITHMS } from '@ringfence/protocol/api';
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import { z } from 'zod';
import type { AllowedFetch } from '../sign-on/allowed-fetch.ts';

/** Whose a token says that it is: exact strings, compared with those of one federation. */
export interface TokenNames {
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
}

/** A token that verified. */
export interface FederatedToken {
  /** Its `jti`, which the caller spends. */
  readonly id: string;
  /** After that nobody takes it. */
  readonly notAfter: EpochMs;
}

/** A token counts for so long after it was made. */
export const OLDEST_TOKEN_MS = 10 * 60_000;
const CLOCKS_APART_S = 30;
const KEPT_FOR_MS = 10 * 60_000;
/** A key that is not among those kept may be new: how often somebody may make us look. */
const LOOK_AGAIN_MS = 30_000;
const MOST_KEPT = 1_000;
const LONGEST_NAME = 512;

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });
const issuerPage = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** Whose a token says that it is, nothing of it verified; undefined where it names more than one audience or no issuer or subject. */
export function namesOf(token: string): TokenNames | undefined {
  const claims = readClaims(token);
  const { iss: issuer, aud, sub: subject } = claims ?? {};
  const [audience, ...more] = typeof aud === 'string' ? [aud] : (aud ?? []);
  if (issuer === undefined || subject === undefined || audience === undefined || more.length > 0) return undefined;
  if ([issuer, subject, audience].some((name) => name.length === 0 || name.length > LONGEST_NAME)) return undefined;
  return { issuer, audience, subject };
}

function readClaims(token: string): JWTPayload | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

interface KeptKeys {
  readonly at: EpochMs;
  readonly keys: Promise<JSONWebKeySet>;
}

/** Verifies tokens of federated issuers with the keys that those publish. */
export class FederatedIssuers {
  readonly #fetch: AllowedFetch;
  readonly #clock: Clock;
  readonly #kept = new Map<string, KeptKeys>();

  constructor(fetch: AllowedFetch, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /**
   * Whether `token` is one of `names`, signed by its issuer with a pinned algorithm, made at most ten minutes ago, and can be spent (it has a
   * `jti`). Throws ControlPlaneError `unavailable` when the issuer's keys cannot be had.
   */
  async verify(
    token: string,
    names: TokenNames,
  ): Promise<Decision<'not-verified', { readonly token: FederatedToken }>> {
    const { issuer } = names;
    const first = this.#keysOf(issuer, KEPT_FOR_MS);
    const claims = (await this.#verified(token, names, await first)) ?? (await this.#again(token, names, await first));
    if (claims?.jti === undefined || claims.jti === '' || claims.jti.length > LONGEST_NAME || claims.exp === undefined)
      return { allow: false, reasons: ['not-verified'] };
    const notAfter = epochMs((claims.exp + CLOCKS_APART_S) * 1000);
    return { allow: true, token: { id: claims.jti, notAfter } };
  }

  /** Once more where the issuer may have changed its keys since we looked. */
  async #again(token: string, names: TokenNames, before: JSONWebKeySet): Promise<JWTPayload | undefined> {
    const now = await this.#keysOf(names.issuer, LOOK_AGAIN_MS);
    return now === before ? undefined : this.#verified(token, names, now);
  }

  async #verified(
    token: string,
    { issuer, audience, subject }: TokenNames,
    keys: JSONWebKeySet,
  ): Promise<JWTPayload | undefined> {
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
        issuer,
        audience,
        subject,
        algorithms: [...TOKEN_ALGORITHMS],
        maxTokenAge: OLDEST_TOKEN_MS / 1000,
        clockTolerance: CLOCKS_APART_S,
        requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat', 'jti'],
        currentDate: dateOf(this.#clock.now()),
      });
      return payload;
    } catch {
      return undefined;
    }
  }

  #keysOf(issuer: string, youngerThanMs: number): Promise<JSONWebKeySet> {
    const now = this.#clock.now();
    const known = this.#kept.get(issuer);
    if (known !== undefined && now - known.at < youngerThanMs) return known.keys;
    const keys = fetchKeys(issuer, this.#fetch);
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(issuer, { at: now, keys });
    keys.catch(() => this.#kept.delete(issuer));
    return keys;
  }
}

/** The keys that an issuer publishes (OpenID Connect Discovery 1.0 §4); the page has to say that it is this issuer's. */
async function fetchKeys(issuer: string, fetch: AllowedFetch): Promise<JSONWebKeySet> {
  const page = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const { issuer: named, jwks_uri } = issuerPage.parse(await page.json());
  if (named !== issuer) throw new TypeError('the page of an issuer names another one');
  const keys = await fetch(jwks_uri);
  return keySet.parse(await keys.json()) as JSONWebKeySet;
}

function dateOf(moment: EpochMs): Date {
  // oxlint-disable-next-line no-restricted-globals -- the library's parameter type; the moment comes from a Clock
  return new Date(moment);
}
