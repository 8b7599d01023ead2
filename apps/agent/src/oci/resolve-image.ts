import type { Readable } from 'node:stream';
import {
  checked,
  choosePlatform,
  compressionOf,
  ownArchitecture,
  parseConfig,
  parseManifest,
  type Compression,
  type Descriptor,
  type ImageConfig,
  type ImageManifest,
} from './image-document.ts';
import { OciError } from './oci-error.ts';

/** Where the documents and blobs of one image come from. What it answers is believed only by its digest. */
export interface BlobSource {
  /** Throws OciError. */
  readonly manifest: (digest: string) => Promise<Buffer>;
  /** Throws OciError. */
  readonly blob: (digest: string) => Promise<Readable>;
}

/** One layer that can be unpacked. */
export interface ImageLayer {
  /** Digest and size of what `open` gives; null where only the unpacked archive has a name. */
  readonly packed: { readonly digest: string; readonly size: number } | null;
  /** Digest of the tar archive itself. */
  readonly diffId: string;
  readonly compression: Compression;
  readonly open: () => Promise<Readable>;
}

/** An image whose documents are what their digests say. */
export interface ResolvedImage {
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
}

/** Most bytes of an index, manifest or configuration. */
export const LARGEST_DOCUMENT = 8 * 1024 * 1024;

/** Follows `digest` from index to manifest to configuration, each checked by its digest. Throws OciError. */
export async function resolveImage(source: BlobSource, digest: string): Promise<ResolvedImage> {
  const manifest = await manifestOf(source, digest);
  const bytes = await readAll(await source.blob(manifest.config.digest), LARGEST_DOCUMENT);
  const config = parseConfig(
    sized(checked(bytes, manifest.config.digest, 'the configuration of the image'), manifest.config),
  );
  checkPlatform(config);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length)
    throw new OciError('bad-image', 'the image has not as many layers as its configuration says');
  return {
    config,
    layers: manifest.layers.map((layer, index) => ({
      packed: { digest: layer.digest, size: layer.size },
      diffId: diffIds[index] ?? '',
      compression: compressionOf(layer.mediaType),
      open: () => source.blob(layer.digest),
    })),
  };
}

/** Refuses an image for another machine. Throws OciError `wrong-platform`. */
export function checkPlatform({ os, architecture }: ImageConfig): void {
  if (os === 'linux' && architecture === ownArchitecture()) return;
  throw new OciError('wrong-platform', `the image is not for linux/${ownArchitecture()}`, {
    next: `build it for linux/${ownArchitecture()}, or place the job elsewhere`,
  });
}

async function manifestOf(source: BlobSource, digest: string): Promise<ImageManifest> {
  const first = parseManifest(checked(await source.manifest(digest), digest, 'the manifest of the image'));
  if ('manifest' in first) return first.manifest;
  const chosen = choosePlatform(first.index, ownArchitecture());
  const bytes = checked(await source.manifest(chosen.digest), chosen.digest, 'the manifest of the image');
  const second = parseManifest(sized(bytes, chosen));
  if ('manifest' in second) return second.manifest;
  throw new OciError('bad-image', 'the index of the image leads to another index', { next: 'name that one' });
}

function sized(bytes: Buffer, { size }: Descriptor): Buffer {
  if (bytes.length === size) return bytes;
  throw new OciError('bad-digest', 'a document of the image has not the size that is said of it');
}

/** Reads a stream to its end. Throws OciError `too-large` beyond `most` bytes. */
export async function readAll(stream: Readable, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of stream) {
    length += (part as Buffer).length;
    if (length > most) {
      stream.destroy();
      throw new OciError('too-large', `a document of the image is larger than ${most} bytes`);
    }
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}
