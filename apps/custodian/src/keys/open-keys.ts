import type { KeyEncryptionKey } from '@ringfence/crypto/seal';
import { BUILT_IN, builtInProvider } from './built-in-provider.ts';
import type { KekProviders } from './kek-provider.ts';
import { OrganisationRing, type RingParts } from './organisation-ring.ts';
import { ProjectKeys } from './project-keys.ts';
import { Rotation, type RotationParts } from './rotation.ts';

/** The hierarchy of keys: root seal, organisation's key, projects' keys. */
export interface OpenKeys {
  readonly ring: OrganisationRing;
  readonly projectKeys: ProjectKeys;
  readonly rotation: Rotation;
}

/** Opens the hierarchy; `others` are the providers beside the built-in one. Throws CustodianError `bad-keys`. */
export function openKeys(
  parts: Omit<RotationParts, 'projectKeys' | 'ring'> &
    RingParts & { readonly earlier: KeyEncryptionKey; readonly others?: KekProviders },
): OpenKeys {
  const { rng, clock, earlier, others = new Map() } = parts;
  const ring = new OrganisationRing(parts);
  const providers = new Map([[BUILT_IN, builtInProvider(ring, rng)], ...others]);
  const projectKeys = new ProjectKeys({ providers, earlier, clock, rng });
  return { ring, projectKeys, rotation: new Rotation({ ...parts, ring, projectKeys }) };
}
