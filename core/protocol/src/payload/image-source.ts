import { z } from 'zod';

/** Where an image comes from, and what it is. */
export type ImageSource =
  | { readonly kind: 'registry'; readonly registry: string; readonly repository: string; readonly digest: string }
  | { readonly kind: 'layout' | 'archive'; readonly path: string; readonly digest: string };

// Grammar of OCI references: domain, path components and tag of github.com/distribution/reference.
const DOMAIN = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,8}(?::\d{1,5})?`;
const COMPONENT = String.raw`[a-z0-9]{1,64}(?:(?:\.|_|__|-{1,4})[a-z0-9]{1,64}){0,8}`;
const NAME = new RegExp(
  `^(?:(${DOMAIN})/)?(${COMPONENT}(?:/${COMPONENT}){0,8})(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$`,
);
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const PATH = /^(?:\/[^/\p{Cc}@]+)+$/u;
const LONGEST_NAME = 255;
const LONGEST = 1_024;

/**
 * Reads `registry/name[:tag]@sha256:…`, `oci:/folder@sha256:…` (an OCI layout) or `archive:/file.tar@sha256:…`; undefined for anything else.
 * A first step without dot or colon that is not localhost is no registry but the beginning of a name at docker.io.
 */
export function parseImageSource(text: string): ImageSource | undefined {
  const [name = '', digest = '', more] = text.split('@');
  if (text.length > LONGEST || more !== undefined || !DIGEST.test(digest)) return undefined;
  const file = /^(oci|archive):(\/.*)$/su.exec(name);
  if (file !== null) {
    const path = file[2] ?? '';
    const steps = path.split('/');
    if (!PATH.test(path) || steps.includes('.') || steps.includes('..')) return undefined;
    return { kind: file[1] === 'oci' ? 'layout' : 'archive', path, digest };
  }
  const match = name.length > LONGEST_NAME ? null : NAME.exec(name);
  if (match === null) return undefined;
  const [, domain, path = ''] = match;
  if (domain === undefined) return { kind: 'registry', registry: 'docker.io', repository: path, digest };
  if (/[.:]/.test(domain) || domain === 'localhost')
    return { kind: 'registry', registry: domain, repository: path, digest };
  return { kind: 'registry', registry: 'docker.io', repository: `${domain}/${path}`, digest };
}

/** The text of an image in a workload. */
export const imageText = z
  .string()
  .max(LONGEST)
  .refine((text) => parseImageSource(text) !== undefined, 'not an image with its digest');

/** A minor version of Python such as `3.12`. */
export const pythonVersion = z.string().regex(/^3\.(?:\d|[1-9]\d)$/);
