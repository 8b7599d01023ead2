import type { Brand } from '@ringfence/base';
import { refuse, text, type Read } from './read.ts';

/** An OCI image by digest: `registry/name[:tag]@sha256:…`. */
export type ImageReference = Brand<string, 'ImageReference'>;

// Grammar of OCI references: domain, path components and tag of github.com/distribution/reference.
const DOMAIN = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,8}(?::\d{1,5})?`;
const COMPONENT = String.raw`[a-z0-9]{1,64}(?:(?:\.|_|__|-{1,4})[a-z0-9]{1,64}){0,8}`;
const NAME = new RegExp(`^(?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT}){0,8}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$`);
const DIGEST = /^sha256:[0-9a-f]{64}$/;

const readText = text((value) => value, 'an image such as registry/name@sha256:…');

/** An image; a tag alone is refused, because it may point to something else tomorrow. */
export const imageReference: Read<ImageReference> = (tree, place) => {
  const reference = readText(tree, place);
  if (reference === undefined) return undefined;
  const [name = '', digest, more] = reference.split('@');
  if (name.length > 255 || !NAME.test(name) || more !== undefined) {
    return refuse(place, { code: 'wrong-value', message: 'this takes an image such as registry/name@sha256:…' });
  }
  if (digest === undefined || !DIGEST.test(digest)) {
    const message = 'an image needs its digest (name@sha256: and 64 hex digits): a tag may change under the job';
    return refuse(place, { code: 'wrong-value', message });
  }
  return reference as ImageReference;
};
