import { constants, createReadStream } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { checked, parseConfig, type Compression, type ImageConfig } from './image-document.ts';
import { OciError } from './oci-error.ts';
import {
  checkPlatform,
  LARGEST_DOCUMENT,
  readAll,
  resolveImage,
  type BlobSource,
  type ResolvedImage,
} from './resolve-image.ts';
import { z } from 'zod';
import { readTar } from './tar-reader.ts';

const MOST_NAMES = 100_000;

/**
 * The real path of an image on disk, which must lie below one of the folders that the site's operator listed. Links are followed first, so one
 * that leads elsewhere is refused. Throws OciError `not-allowed`, `not-found`.
 */
export async function allowedPath(path: string, roots: readonly string[]): Promise<string> {
  if (roots.length === 0)
    throw new OciError('not-allowed', 'this site takes no images from its disk', {
      next: 'ask its operator to start the agent with --image-root DIR, or name an image of a registry',
    });
  let real: string;
  try {
    real = await realpath(path);
  } catch (cause) {
    throw new OciError('not-found', 'there is no image at this path of the site', { cause, next: 'correct the path' });
  }
  const folders = await Promise.all(roots.map((root) => realpath(root).catch(() => null)));
  if (folders.some((folder) => folder !== null && real.startsWith(`${folder}/`))) return real;
  throw new OciError('not-allowed', 'the image lies outside the folders that this site allows', {
    next: 'ask its operator for the folders of --image-root',
  });
}

/** An OCI image layout (image-layout.md) in the folder `path`. Throws OciError. */
export function openLayout(path: string, digest: string): Promise<ResolvedImage> {
  const blob = async (name: string): Promise<Readable> => {
    const hex = name.slice('sha256:'.length);
    // A link in place of a blob would lead out of the folders that the operator listed.
    const file = await openFile(join(path, 'blobs', 'sha256', hex));
    return file.createReadStream({ autoClose: true });
  };
  return resolveImage(sourceOf(blob), digest);
}

/**
 * An image in the tar archive `path`: an OCI layout (`oci-archive`), by the digest of its manifest, or what `docker save` writes, by the
 * digest of its configuration, which Docker calls the image's id. Throws OciError.
 */
export async function openArchive(path: string, digest: string): Promise<ResolvedImage> {
  const names = await listArchive(path);
  const read = (name: string): Readable => {
    const found = names.get(name);
    if (found === undefined)
      throw new OciError('not-found', 'the archive does not hold what it should', { next: 'make it anew' });
    if (found.size === 0) return Readable.from([]);
    return createReadStream(path, { start: found.offset, end: found.offset + found.size - 1 });
  };
  const blobName = (name: string): string => `blobs/sha256/${name.slice('sha256:'.length)}`;
  if (names.has('oci-layout') && names.has(blobName(digest)))
    return resolveImage(
      sourceOf(async (name) => read(blobName(name))),
      digest,
    ).catch((error: unknown) => {
      // The id of an image that a newer Docker saved is a blob there as well, and no manifest.
      if (!names.has('manifest.json') || !(error instanceof OciError) || error.code !== 'bad-image') throw error;
      return openDockerArchive(read, digest);
    });
  if (names.has('manifest.json')) return openDockerArchive(read, digest);
  throw new OciError('not-found', 'the archive holds no image of this digest', { next: 'correct the digest' });
}

const dockerManifest = z
  .array(z.object({ Config: z.string().max(4_096), Layers: z.array(z.string().max(4_096)).max(1_000) }))
  .max(1_000);

async function openDockerArchive(read: (name: string) => Readable, digest: string): Promise<ResolvedImage> {
  const listed = dockerManifest.safeParse(
    JSON.parse((await readAll(read('manifest.json'), LARGEST_DOCUMENT)).toString()),
  );
  const hex = digest.slice('sha256:'.length);
  const image = listed.data?.find(({ Config }) => Config === `${hex}.json` || Config === `blobs/sha256/${hex}`);
  if (image === undefined)
    throw new OciError('not-found', 'the archive holds no image of this digest', {
      next: 'name the id of the image (docker images --no-trunc), or the digest of its manifest in an OCI archive',
    });
  const bytes = await readAll(read(image.Config), LARGEST_DOCUMENT);
  const config: ImageConfig = parseConfig(checked(bytes, digest, 'the configuration of the image'));
  checkPlatform(config);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== image.Layers.length)
    throw new OciError('bad-image', 'the image has not as many layers as its configuration says');
  const layers = await Promise.all(
    image.Layers.map(async (name, index) => ({
      packed: null,
      diffId: diffIds[index] ?? '',
      compression: await compressionIn(read(name)),
      open: async () => read(name),
    })),
  );
  return { config, layers };
}

/** Docker's archives do not say how a layer is packed: its first bytes do (RFC 1952, RFC 8878). */
async function compressionIn(stream: Readable): Promise<Compression> {
  for await (const part of stream) {
    stream.destroy();
    const magic = (part as Buffer).toString('hex', 0, 4);
    return magic.startsWith('1f8b') ? 'gzip' : magic === '28b52ffd' ? 'zstd' : 'none';
  }
  return 'none';
}

async function listArchive(path: string): Promise<ReadonlyMap<string, { offset: number; size: number }>> {
  const file = await openFile(path);
  const names = new Map<string, { offset: number; size: number }>();
  try {
    for await (const { entry, offset } of readTar(file.createReadStream({ autoClose: false }))) {
      if (entry.kind !== 'file') continue;
      if (names.size >= MOST_NAMES) throw new OciError('bad-image', 'the archive holds too many files');
      names.set(entry.name.replace(/^(?:\.?\/)+/, ''), { offset, size: entry.size });
    }
    return names;
  } finally {
    await file.close();
  }
}

function sourceOf(blob: BlobSource['blob']): BlobSource {
  return { blob, manifest: async (digest) => readAll(await blob(digest), LARGEST_DOCUMENT) };
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (cause) {
    throw new OciError('not-found', 'a part of the image is not there', { cause, next: 'copy the image anew' });
  }
  throw new OciError('not-found', 'a part of the image is no file', { next: 'copy the image anew' });
}
