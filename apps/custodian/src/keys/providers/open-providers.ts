import { readFileSync } from 'node:fs';
import type { Clock, Rng } from '@ringfence/base';
import type { ClientCertificate } from '@ringfence/client/outer-tls';
import { CustodianError } from '../../custodian-error.ts';
import { kekError, type KekProviders } from '../kek-provider.ts';
import { budgetedProvider, type KekBudget } from './budgeted-provider.ts';
import { KeyGatewayBackend } from './gateway/key-gateway-backend.ts';
import { GcpKmsBackend } from './gcp-kms/gcp-kms-backend.ts';
import type { KekBackend } from './kek-backend.ts';
import { nativeAddon } from './pkcs11/native-addon.ts';
import { Pkcs11Backend } from './pkcs11/pkcs11-backend.ts';
import { readProviderFile, type ProviderEntry } from './provider-file.ts';
import { readSecretFile } from './secret-file.ts';
import { TransitBackend } from './transit/transit-backend.ts';

/** What providers are opened with. */
export interface ProviderParts {
  readonly clock: Clock;
  readonly rng: Rng;
  /** What everything that is dialled goes by, unless an entry says otherwise. */
  readonly outer: { readonly caFile: string | undefined; readonly proxy: string | undefined };
}

/** Of one wrap or unwrap, in milliseconds. */
const BUDGET_MS: Readonly<Record<ProviderEntry['kind'], number>> = {
  pkcs11: 2_000,
  transit: 2_000,
  'aws-kms': 3_000,
  'gcp-kms': 3_000,
  gateway: 250,
};
/** What the owner of a gateway did not allow is not kept at all. */
const KEEP_MS: Readonly<Record<ProviderEntry['kind'], number>> = {
  pkcs11: 300_000,
  transit: 300_000,
  'aws-kms': 300_000,
  'gcp-kms': 300_000,
  gateway: 0,
};

/** The providers that a file names; none without one. Nothing is dialled yet. Throws CustodianError `bad-config`. */
export async function openProviders(path: string | undefined, parts: ProviderParts): Promise<KekProviders> {
  const entries = path === undefined ? [] : readProviderFile(path);
  const opened = entries.map(async (entry) => {
    return [entry.name, budgetedProvider(await backendOf(entry, parts), budgetOf(entry), parts)] as const;
  });
  return new Map(await Promise.all(opened));
}

/** What an entry says of times, or what holds for its kind. */
export function budgetOf({ kind, budget, keepFor }: Pick<ProviderEntry, 'kind' | 'budget' | 'keepFor'>): KekBudget {
  return { within: budget ?? BUDGET_MS[kind], keepFor: keepFor ?? KEEP_MS[kind] };
}

/** Ends what the providers have open. */
export async function closeProviders(providers: KekProviders): Promise<void> {
  await Promise.all([...providers.values()].map((provider) => provider.close()));
}

async function backendOf(entry: ProviderEntry, { clock, outer }: ProviderParts): Promise<KekBackend> {
  const { proxy } = outer;
  if (entry.kind === 'pkcs11') return new Pkcs11Backend({ ...entry, addon: nativeAddon() });
  const caFile = entry.caFile ?? outer.caFile;
  if (entry.kind === 'aws-kms') {
    // Its library is large, and few custodians need it.
    const { AwsKmsBackend } = await import('./aws-kms/aws-kms-backend.ts');
    const { endpoint, credentialsFile } = entry;
    return new AwsKmsBackend({ ...entry, endpoint, credentialsFile, caFile, proxy }, clock);
  }
  if (entry.kind === 'gcp-kms') return new GcpKmsBackend({ ...entry, endpoint: entry.endpoint, caFile, proxy }, clock);
  const server = { url: entry.url, proxy, ...(caFile === undefined ? {} : { caFile }) };
  if (entry.kind === 'gateway') return new KeyGatewayBackend({ ...server, certificate: certificateOf(entry) }, clock);
  return new TransitBackend({ ...entry, server, namespace: entry.namespace, credentials: credentialsOf(entry) }, clock);
}

function credentialsOf({ tokenFile, appRole }: Extract<ProviderEntry, { kind: 'transit' }>) {
  if (appRole !== undefined) return { appRole };
  if (tokenFile !== undefined) return { tokenFile };
  throw kekError('kek-denied');
}

function certificateOf({ certificateFile, keyFile }: Extract<ProviderEntry, { kind: 'gateway' }>): ClientCertificate {
  try {
    return { certificatePem: readFileSync(certificateFile, 'utf8'), keyPem: readSecretFile(keyFile) };
  } catch (cause) {
    throw new CustodianError('bad-config', 'the certificate or key for the key gateway cannot be read', {
      cause,
      next: 'name both in PEM, the key readable by this process alone (chmod 600)',
    });
  }
}
