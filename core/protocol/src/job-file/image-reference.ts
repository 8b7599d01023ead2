import type { Brand } from '@ringfence/base';
import { parseImageSource } from '../payload/image-source.ts';
import { refuse, text, type Read } from './read.ts';

/** An OCI image by digest: `registry/name[:tag]@sha256:…`, `oci:/folder@sha256:…` or `archive:/file.tar@sha256:…`. */
export type ImageReference = Brand<string, 'ImageReference'>;

const readText = text((value) => value, 'an image such as registry/name@sha256:…');
const EXAMPLE = `@sha256:${'0'.repeat(64)}`;

/** An image; a tag alone is refused, because it may point to something else tomorrow. */
export const imageReference: Read<ImageReference> = (tree, place) => {
  const reference = readText(tree, place);
  if (reference === undefined) return undefined;
  if (parseImageSource(reference) !== undefined) return reference as ImageReference;
  const name = reference.split('@')[0] ?? '';
  if (reference.split('@').length > 2 || parseImageSource(name + EXAMPLE) === undefined) {
    return refuse(place, { code: 'wrong-value', message: 'this takes an image such as registry/name@sha256:…' });
  }
  const message = 'an image needs its digest (name@sha256: and 64 hex digits): a tag may change under the job';
  return refuse(place, { code: 'wrong-value', message });
};
