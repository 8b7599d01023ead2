import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fromBase64Url, jsonOf, type OrgId, type ProjectId } from '@ringfence/base';
import { openObjectBytes } from '@ringfence/crypto/open';
import { DataKey, sha256Hex, type Digest } from '@ringfence/crypto/seal';
import { packManifest, type ChunkReference, type PackManifest, type PackReference } from '@ringfence/protocol/payload';
import { ClientError } from '../error.ts';
import { manifestProblem } from './pack-rules.ts';
import { MANIFEST_OBJECT } from './seal-pack.ts';

/** What opens a pack. */
export interface OpenPackOptions {
  readonly pack: PackReference;
  readonly org: OrgId;
  readonly project: ProjectId;
  /** Fetches the bytes of a sealed object, from a store or a cache. */
  readonly fetch: (digest: Digest) => Promise<Uint8Array>;
}

/** Where a pack is laid out. */
export interface LayOutOptions extends OpenPackOptions {
  /** An existing, empty folder that nobody else writes to. */
  readonly folder: string;
  readonly onProgress?: (bytes: number) => void;
}

const AT_ONCE = 8;

/** The files and links of a pack, checked: plain relative paths, each once, none below a file or a link. Throws ClientError `bad-pack`. */
export async function readManifest(options: OpenPackOptions): Promise<PackManifest> {
  const sealed = await fetchChecked(options, options.pack.manifest);
  const identity = { org: options.org, project: options.project, object: MANIFEST_OBJECT, version: 1 };
  const dataKey = DataKey.fromBytes(fromBase64Url(options.pack.key));
  const parsed = packManifest.safeParse(jsonOf(openObjectBytes({ dataKey, identity }, sealed)));
  if (!parsed.success) throw badPack('its manifest is not of a form that this release knows');
  const problem = manifestProblem(parsed.data);
  if (problem !== undefined) throw badPack(problem);
  return parsed.data;
}

/** Writes the files and links of a pack below `folder`; nothing outside it is ever touched, and nothing is written after it failed. Throws ClientError `bad-pack`. */
export async function openPack(options: LayOutOptions): Promise<PackManifest> {
  const manifest = await readManifest(options);
  const made = new Set<string>();
  const files = manifest.files.values();
  let failed = false;
  const work = async (): Promise<void> => {
    for (const file of files) {
      if (failed) return;
      await writeFile(options, file, made).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  for (const { path, target } of manifest.links) {
    makeParents(options.folder, path, made);
    symlinkSync(target, join(options.folder, path));
  }
  return manifest;
}

async function writeFile(
  options: LayOutOptions,
  file: PackManifest['files'][number],
  made: Set<string>,
): Promise<void> {
  makeParents(options.folder, file.path, made);
  // `wx`: in an empty folder every name is new, and a link that somebody slipped in is not followed.
  const handle = openSync(join(options.folder, file.path), 'wx', file.executable ? 0o755 : 0o644);
  try {
    let size = 0;
    for (const chunk of file.chunks) {
      const bytes = await openChunk(options, chunk);
      for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at);
      size += bytes.length;
      options.onProgress?.(bytes.length);
    }
    if (size !== file.size || fstatSync(handle).size !== size)
      throw badPack('a file is not as long as its manifest says');
  } catch (error) {
    ftruncateSync(handle);
    throw error;
  } finally {
    closeSync(handle);
  }
}

/** The plain bytes of a chunk. Throws ClientError `bad-pack`. */
export async function openChunk(options: OpenPackOptions, chunk: ChunkReference): Promise<Uint8Array> {
  const sealed = await fetchChecked(options, chunk.digest);
  const identity = { org: options.org, project: options.project, object: chunk.id, version: 1 };
  const bytes = openObjectBytes({ dataKey: DataKey.fromBytes(fromBase64Url(chunk.key)), identity }, sealed);
  if (bytes.length !== chunk.size) throw badPack('a chunk is not as long as its manifest says');
  return bytes;
}

async function fetchChecked(options: OpenPackOptions, digest: Digest): Promise<Uint8Array> {
  const bytes = await options.fetch(digest);
  if (sha256Hex(bytes) !== digest) throw badPack('an object is not the one that its digest names');
  return bytes;
}

function makeParents(folder: string, path: string, made: Set<string>): void {
  const parent = dirname(path);
  if (parent === '.' || made.has(parent)) return;
  mkdirSync(join(folder, parent), { recursive: true, mode: 0o755 });
  made.add(parent);
}

function badPack(problem: string): ClientError {
  return new ClientError('bad-pack', `the pack cannot be opened: ${problem}`, {
    next: 'fetch it again; if it stays so, whoever made it made it wrong',
  });
}

const LARGEST_OBJECT = 512 * 1024 * 1024;

/** All bytes of an object's stream; throws ClientError `too-large` beyond 512 MiB. */
export async function readObject(stream: Readable): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    size += (part as Buffer).length;
    if (size > LARGEST_OBJECT) throw new ClientError('too-large', 'an object of a pack is larger than 512 MiB');
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}
