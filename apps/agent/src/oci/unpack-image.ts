import { createHash } from 'node:crypto';
import { link, mkdir, open, rm, symlink, utimes } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Compression } from './image-document.ts';
import { ImageTree, type TreeStep } from './image-tree.ts';
import { OciError } from './oci-error.ts';
import type { ImageLayer, ResolvedImage } from './resolve-image.ts';
import { readTar, type ReadEntry } from './tar-reader.ts';

/** How large an image may be: bytes of its layers unpacked, and files. */
export interface ImageLimits {
  readonly bytes: number;
  readonly files: number;
}

/** Entries that are read of one image, those that later ones replace included. */
const MOST_ENTRIES = 4_000_000;
const HOSTS = '127.0.0.1 localhost\n::1 localhost\n';

/**
 * Unpacks the layers of an image into the new, empty `folder`, which nobody else may write, and returns how many bytes they hold. Everything
 * belongs to this process and is readable for all: owners, set-user-id bits, devices and extended attributes are left out. Throws
 * OciError and errors of the file system; what is there by then is for the caller to remove.
 */
export async function unpackImage(
  image: ResolvedImage,
  folder: string,
  options: { limits: ImageLimits; signal: AbortSignal },
): Promise<number> {
  const { limits, signal } = options;
  const tree = new ImageTree(limits.files);
  const budget = { bytes: limits.bytes, entries: MOST_ENTRIES };
  for (const [index, layer] of image.layers.entries())
    await readLayer(layer, { budget, signal }, async (read) => {
      budget.entries -= 1;
      if (budget.entries < 0) throw new OciError('too-large', 'the layers of the image hold too many entries');
      for (const step of tree.apply(index + 1, read.entry)) await perform(folder, step, read);
    });
  await addWhatRuntimesNeed(tree, folder, image);
  return limits.bytes - budget.bytes;
}

/** A working folder that no layer made, and the names of the machine itself: a read-only root takes neither later. */
async function addWhatRuntimesNeed(tree: ImageTree, folder: string, { config, layers }: ResolvedImage): Promise<void> {
  const own = { mode: 0o644, mtime: 0, target: '' };
  const add = async (kind: 'folder' | 'file', name: string, text: string): Promise<void> => {
    const entry = { ...own, kind, name, size: text.length };
    const body = async function* () {
      yield Buffer.from(text);
    };
    for (const step of tree.apply(layers.length + 1, entry)) await perform(folder, step, { entry, body, offset: 0 });
  };
  const workingDir = config.config?.WorkingDir ?? '';
  if (workingDir !== '' && tree.kindOf(workingDir) === undefined) await add('folder', workingDir, '');
  if (tree.kindOf('/etc/hosts') === undefined) await add('file', '/etc/hosts', HOSTS);
}

async function perform(folder: string, step: TreeStep, { entry, body }: ReadEntry): Promise<void> {
  const path = join(folder, step.path);
  switch (step.do) {
    case 'remove':
      return rm(path, { recursive: true, force: true });
    case 'folder':
      await mkdir(path, { mode: 0o755 });
      return;
    case 'link':
      return symlink(step.target, path);
    case 'hardlink':
      return link(join(folder, step.from), path);
    case 'file': {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      const file = await open(path, flags, step.executable ? 0o755 : 0o644);
      try {
        for await (const part of body()) await file.writeFile(part);
      } finally {
        await file.close();
      }
      // Python believes what it compiled only when the times are those of the build.
      return utimes(path, entry.mtime, entry.mtime);
    }
  }
}

async function readLayer(
  layer: ImageLayer,
  { budget, signal }: { budget: { bytes: number }; signal: AbortSignal },
  take: (read: ReadEntry) => Promise<void>,
): Promise<void> {
  const source = await layer.open();
  const unpacked = createHash('sha256');
  const packed =
    layer.packed === null ? source : Readable.from(checkedParts(source, layer.packed), { objectMode: false });
  const archive = async function* (parts: AsyncIterable<Buffer>) {
    for await (const part of parts) {
      budget.bytes -= part.length;
      if (budget.bytes < 0)
        throw new OciError('too-large', 'the layers of the image are larger than this agent takes', {
          next: 'make the image smaller, or start the agent with a larger --image-cache-size',
        });
      unpacked.update(part);
      yield part;
    }
  };
  const read = async (parts: AsyncIterable<Buffer>): Promise<void> => {
    for await (const entry of readTar(archive(parts))) await take(entry);
    if (`sha256:${unpacked.digest('hex')}` !== layer.diffId) throw wrong('a layer of the image unpacked');
  };
  try {
    await through(packed, layer.compression, read, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && /^(?:Z_|ZSTD_|ERR_ZSTD|ERR_BUFFER)/.test(String(error.code)))
      throw new OciError('bad-layer', 'a layer of the image cannot be unpacked', {
        cause: error,
        next: 'build it anew',
      });
    throw error;
  }
}

function through(
  packed: Readable,
  compression: Compression,
  read: (parts: AsyncIterable<Buffer>) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  if (compression === 'none') return pipeline(packed, read, { signal });
  const unpack = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  return pipeline(packed, unpack, read, { signal });
}

/** The parts of a stream, and an error at its end unless it was what its name says. */
async function* checkedParts(
  source: Readable,
  expected: { readonly digest: string; readonly size: number },
): AsyncGenerator<Buffer, void, void> {
  const hash = createHash('sha256');
  let left = expected.size;
  for await (const part of source) {
    left -= (part as Buffer).length;
    if (left < 0) throw wrong('a layer of the image');
    hash.update(part as Buffer);
    yield part as Buffer;
  }
  if (left !== 0 || `sha256:${hash.digest('hex')}` !== expected.digest) throw wrong('a layer of the image');
}

function wrong(what: string): OciError {
  return new OciError('bad-digest', `${what} is not what its digest says`, {
    next: 'the source serves something else under this name: do not use it',
  });
}
