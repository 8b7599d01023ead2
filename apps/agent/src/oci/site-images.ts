import { readFileSync } from 'node:fs';
import type { Clock, Secret } from '@ringfence/base';
import type { ImageAccess } from './fetch-image.ts';
import type { ImageFlags } from './image-flags.ts';
import { ImageStore } from './image-store.ts';
import { OciError } from './oci-error.ts';
import { readRegistryAuth } from './registry-auth.ts';

/** Images on this machine: the unpacked ones, and where others come from. */
export interface SiteImages {
  readonly store: ImageStore;
  /** Registries that are read without TLS. */
  readonly insecure: readonly string[];
  /** How a link with this proxy and these authorities reaches registries. */
  readonly access: (outer: {
    readonly proxy?: string | undefined;
    readonly caFile?: string | undefined;
  }) => ImageAccess;
}

/** Opens the images of a machine in `folder`. Throws OciError `bad-source`. */
export function openSiteImages(folder: string, flags: ImageFlags, clock: Clock): SiteImages {
  const auth = flags.auth === undefined ? new Map<string, Secret>() : readRegistryAuth(flags.auth);
  const ca = flags.ca === undefined ? undefined : readAuthorities(flags.ca);
  return {
    store: new ImageStore(folder, flags.cacheBytes, clock),
    insecure: flags.insecure,
    access: ({ proxy, caFile }) => ({
      roots: flags.roots,
      registries: flags.registries,
      registry: {
        auth,
        insecure: new Set(flags.insecure),
        listed: new Set([...flags.registries, ...flags.insecure].map((name) => name.toLowerCase())),
        proxy,
        ca: ca ?? (caFile === undefined ? undefined : readAuthorities(caFile)),
      },
    }),
  };
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new OciError('bad-source', `${path} with the authorities of registries cannot be read`, { cause });
  }
}
