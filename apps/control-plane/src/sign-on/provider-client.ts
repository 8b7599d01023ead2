import type { Clock, EpochMs } from '@ringfence/base';
import type { TokenAlgorithm } from '@ringfence/protocol/api';
import {
  ClientSecretBasic,
  Configuration,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
  type ServerMetadata,
} from 'openid-client';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { AllowedFetch } from './allowed-fetch.ts';

/** An identity provider as officers set it. */
export interface ProviderTerms {
  readonly issuer: string;
  readonly clientId: string;
  /** Null for a public client. */
  readonly secret: string | null;
  readonly algorithms: readonly TokenAlgorithm[];
}

const KEPT_FOR_MS = 10 * 60_000;
const FAILED_FOR_MS = 30_000;
const MOST_KEPT = 1_000;

/** What identity providers publish of themselves, kept for ten minutes. */
export class ProviderClients {
  readonly #fetch: AllowedFetch;
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly until: EpochMs; readonly metadata: Promise<ServerMetadata> }>();

  constructor(fetch: AllowedFetch, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /**
   * A client of one provider that takes ID tokens of the pinned algorithms alone and verifies their signatures, also of those that came over
   * TLS from the provider itself. Throws ControlPlaneError `unavailable`.
   */
  async client({ issuer, clientId, secret, algorithms }: ProviderTerms): Promise<Configuration> {
    const metadata = await asUnavailable(this.#metadata(issuer));
    const [first, ...more] = algorithms;
    const config = new Configuration(
      { ...metadata, id_token_signing_alg_values_supported: [...algorithms] },
      clientId,
      first !== undefined && more.length === 0 ? { id_token_signed_response_alg: first } : {},
      secret === null ? None() : ClientSecretBasic(secret),
    );
    config[customFetch] = this.#fetch;
    enableNonRepudiationChecks(config);
    return config;
  }

  /**
   * Throws ControlPlaneError `unavailable` where an issuer is no provider, `bad-request` where it spells itself otherwise or signs by none of
   * the algorithms that are to be pinned.
   */
  async assertProvider({ issuer, algorithms }: Pick<ProviderTerms, 'issuer' | 'algorithms'>): Promise<void> {
    const { issuer: named, id_token_signing_alg_values_supported: known } = await asUnavailable(this.#metadata(issuer));
    // The library compares URLs, of which one may be spelled in several ways.
    if (named !== issuer)
      throw new ControlPlaneError('bad-request', 'this identity provider spells its issuer otherwise', {
        next: 'give the `issuer` of its /.well-known/openid-configuration, letter by letter',
      });
    if (known === undefined || algorithms.some((algorithm) => known.includes(algorithm))) return;
    throw new ControlPlaneError('bad-request', 'this identity provider signs by none of these algorithms', {
      next: 'see id_token_signing_alg_values_supported at its /.well-known/openid-configuration',
    });
  }

  async #metadata(issuer: string): Promise<ServerMetadata> {
    const now = this.#clock.now();
    const known = this.#kept.get(issuer);
    if (known !== undefined && known.until > now) return known.metadata;
    const metadata = discovery(new URL(issuer), 'nobody', undefined, None(), {
      algorithm: 'oidc',
      [customFetch]: this.#fetch,
    }).then((config) => ({ ...config.serverMetadata() }));
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(issuer, { until: (now + KEPT_FOR_MS) as EpochMs, metadata });
    // Not asked again by each that comes.
    metadata.catch(() => this.#kept.set(issuer, { until: (now + FAILED_FOR_MS) as EpochMs, metadata }));
    return metadata;
  }
}

async function asUnavailable<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (cause) {
    const own = ownError(cause);
    if (own !== undefined) throw own;
    throw new ControlPlaneError('unavailable', 'the identity provider cannot be asked', {
      cause,
      next: 'try again later, or sign in with something else',
    });
  }
}

/** What our own fetch said, which the library hands on as the cause of an error of its own. */
function ownError(error: unknown): ControlPlaneError | undefined {
  if (error instanceof ControlPlaneError) return error;
  return error instanceof Error && error.cause !== undefined ? ownError(error.cause) : undefined;
}
