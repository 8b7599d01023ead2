import { createHash } from 'node:crypto';
import { z } from 'zod';
import { OciError } from './oci-error.ts';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const size = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const descriptor = z.object({ mediaType: z.string().max(255), digest, size });
const platform = z.object({ architecture: z.string(), os: z.string(), variant: z.string().optional() });

const index = z.object({
  schemaVersion: z.literal(2),
  manifests: z.array(descriptor.extend({ platform: platform.optional() })).max(1_000),
});
const manifest = z.object({
  schemaVersion: z.literal(2),
  config: descriptor,
  layers: z.array(descriptor).max(1_000),
});

const words = z.array(z.string().max(65_536)).max(4_096).nullish();
const config = z.object({
  architecture: z.string(),
  os: z.string(),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(digest).max(1_000) }),
  config: z
    .object({
      Env: words,
      Entrypoint: words,
      Cmd: words,
      WorkingDir: z.string().max(4_096).nullish(),
      User: z.string().max(255).nullish(),
    })
    .nullish(),
});

/** A content descriptor (OCI image-spec, descriptor.md). */
export type Descriptor = z.infer<typeof descriptor>;
/** An image index (image-index.md), or Docker's list of manifests. */
export type ImageIndex = z.infer<typeof index>;
/** An image manifest (manifest.md). */
export type ImageManifest = z.infer<typeof manifest>;
/** An image configuration (config.md), what is used of it. */
export type ImageConfig = z.infer<typeof config>;

/** Media types that are asked for; a registry answers with one of them. */
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;

/** How the tar archive of a layer is packed. */
export type Compression = 'none' | 'gzip' | 'zstd';

const LAYER_TYPES: Readonly<Record<string, Compression>> = {
  'application/vnd.oci.image.layer.v1.tar': 'none',
  'application/vnd.oci.image.layer.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd': 'zstd',
  'application/vnd.docker.image.rootfs.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': 'gzip',
  'application/vnd.docker.image.rootfs.diff.tar.zstd': 'zstd',
};

/** How a layer of `mediaType` is packed. Throws OciError `bad-image`: encrypted, foreign and unknown layers. */
export function compressionOf(mediaType: string): Compression {
  const known = Object.hasOwn(LAYER_TYPES, mediaType) ? LAYER_TYPES[mediaType] : undefined;
  if (known === undefined)
    throw new OciError('bad-image', 'a layer of the image has a type that is not known here', {
      next: 'build the image with tar, gzip or zstd layers of its own',
    });
  return known;
}

/** An index or a manifest. Throws OciError `bad-image`. */
export function parseManifest(bytes: Uint8Array): { index: ImageIndex } | { manifest: ImageManifest } {
  const value = json(bytes);
  const asIndex = index.safeParse(value);
  const asManifest = manifest.safeParse(value);
  // What reads as both would be one thing to one tool and another to the next.
  if (asIndex.success === asManifest.success) throw bad('the manifest of the image is neither an index nor a manifest');
  if (asIndex.success) return { index: asIndex.data };
  if (asManifest.success) return { manifest: asManifest.data };
  throw bad('the manifest of the image cannot be read');
}

/** The configuration of an image. Throws OciError `bad-image`. */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const parsed = config.safeParse(json(bytes));
  if (!parsed.success) throw bad('the configuration of the image cannot be read');
  return parsed.data;
}

/** Docker's spelling of this process's architecture. */
export function ownArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

/** The one manifest of `found` for Linux on `architecture`. Throws OciError `wrong-platform`. */
export function choosePlatform(found: ImageIndex, architecture: string): Descriptor {
  const fits = found.manifests.filter(
    (entry) => entry.platform?.os === 'linux' && entry.platform.architecture === architecture,
  );
  // Baseline before variants, or a machine could be given code that its processor does not know.
  const chosen = fits.find((entry) => entry.platform?.variant === undefined) ?? fits[0];
  const only =
    found.manifests.length === 1 && found.manifests[0]?.platform === undefined ? found.manifests[0] : undefined;
  const best = chosen ?? only;
  if (best !== undefined) return best;
  throw new OciError('wrong-platform', `the image has nothing for linux/${architecture}`, {
    next: `build it for linux/${architecture}, or place the job elsewhere`,
  });
}

/** `sha256:…` of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** `bytes` when their digest is `expected`. Throws OciError `bad-digest`. */
export function checked(bytes: Buffer, expected: string, what: string): Buffer {
  if (digestOf(bytes) === expected) return bytes;
  throw new OciError('bad-digest', `${what} is not what its digest says`, {
    next: 'the source serves something else under this name: do not use it',
  });
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw bad('a document of the image is no JSON', cause);
  }
}

function bad(message: string, cause?: unknown): OciError {
  return new OciError('bad-image', message, { cause, next: 'build the image anew' });
}
