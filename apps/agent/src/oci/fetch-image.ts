import type { ImageSource } from '@ringfence/protocol/payload';
import { allowedPath, openArchive, openLayout } from './file-sources.ts';
import { OciError } from './oci-error.ts';
import { RegistryClient, type RegistryAccess } from './registry-client.ts';
import { resolveImage, type ResolvedImage } from './resolve-image.ts';

/** Where this site takes images from. */
export interface ImageAccess {
  /** Folders of its disk with layouts and archives. */
  readonly roots: readonly string[];
  /** The only registries, when there are any in it. */
  readonly registries: readonly string[];
  readonly registry: RegistryAccess;
}

/** Whether this site takes the image that a job names from where it names it, also when it has it already. Throws OciError. */
export async function checkAllowed(source: ImageSource, access: ImageAccess): Promise<void> {
  if (source.kind !== 'registry') return void (await allowedPath(source.path, access.roots));
  if (access.registries.length === 0 || access.registries.includes(source.registry)) return;
  throw new OciError('not-allowed', 'this site takes no images from this registry', {
    next: 'ask its operator for the registries of --registry',
  });
}

/** Opens the image that a job names, its documents checked by their digests. Throws OciError. */
export async function openImage(source: ImageSource, access: ImageAccess, signal: AbortSignal): Promise<ResolvedImage> {
  if (source.kind === 'registry')
    return resolveImage(new RegistryClient(source, access.registry, signal), source.digest);
  const path = await allowedPath(source.path, access.roots);
  return source.kind === 'layout' ? openLayout(path, source.digest) : openArchive(path, source.digest);
}
