import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { canonicalBytes, toBase64Url, type OrgId, type ProjectId, type Rng } from '@ringfence/base';
import { chunkId, DataKey, sealObjectBytes, type DedupeKey, type Digest } from '@ringfence/crypto/seal';
import type { ChunkReference, PackManifest, PackReference } from '@ringfence/protocol/payload';
import type { CustodianClient } from '../custodian/index.ts';
import { ClientError } from '../error.ts';
import { isPackPath, linkOutside } from './pack-rules.ts';

/** A file or link of a folder that is packed; `path` is relative with `/`. */
export type PackEntry =
  | { readonly kind: 'file'; readonly path: string; readonly executable: boolean }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** What a pack is sealed with and where it goes. */
export interface SealPackOptions {
  readonly folder: string;
  readonly entries: readonly PackEntry[];
  readonly org: OrgId;
  readonly project: ProjectId;
  /** The organisation's for a client, so that equal chunks do not travel; a fresh one for an agent's outputs. */
  readonly dedupeKey: DedupeKey;
  readonly custodian: Pick<CustodianClient, 'presentChunks' | 'uploadObjects' | 'registerChunks'>;
  readonly rng: Rng;
  /** Chunks that an earlier, cut try brought to the custodian; kept up to date, so that a next try goes on from there. */
  readonly arrived?: Map<Digest, ChunkReference>;
  /** Told of chunks once the custodian has them, before anything further travels. */
  readonly onArrived?: (chunks: readonly ChunkReference[]) => void;
  /** Ends it between two parts, with ClientError `aborted`. */
  readonly signal?: AbortSignal;
  /** Told of plaintext bytes as they are sealed or found to be there. */
  readonly onProgress?: (bytes: number) => void;
}

/** A sealed, uploaded pack. */
export interface SealedPack {
  readonly pack: PackReference;
  readonly files: number;
  readonly bytes: number;
  /** Plaintext bytes that had to travel. */
  readonly uploaded: number;
}

const CHUNK_BYTES = 1_048_576;
/** Chunks that are asked about together; one batch travels while the next is read, so memory is bounded to 64 MiB. */
const BATCH = 32;
/** Plaintext bytes that travel in one request: what is lost when it is cut. */
const PART_BYTES = 4 * 1_048_576;

interface PlainChunk {
  readonly id: Digest;
  readonly bytes: Uint8Array;
}

/** Identity of the object that a manifest is: its own random name, drawn with its key. */
export const MANIFEST_OBJECT = 'manifest';

/**
 * Seals the entries of a folder as chunks of at most 1 MiB and a manifest under a fresh data key, and uploads what the custodian lacks
 * (docs/protocol/payload-api.md). A file that changes while it is read gives the bytes that were read. Throws ClientError `bad-pack` for
 * an entry that could not be laid out again.
 */
export async function sealPack(options: SealPackOptions): Promise<SealedPack> {
  refuseEntries(options.entries);
  const uploader = new ChunkUploader(options);
  const files: { path: string; executable: boolean; size: number; ids: Digest[] }[] = [];
  for (const entry of options.entries) {
    if (entry.kind === 'link') continue;
    const file = { path: entry.path, executable: entry.executable, size: 0, ids: [] as Digest[] };
    for await (const bytes of chunksOf(join(options.folder, entry.path))) {
      file.size += bytes.length;
      file.ids.push(await uploader.add(bytes));
    }
    files.push(file);
  }
  await uploader.flush();
  const links = linksOf(options.entries);
  const manifest: PackManifest = {
    v: 1,
    files: files.map(({ path, executable, size, ids }) => ({
      path,
      executable,
      size,
      chunks: ids.map((id) => uploader.reference(id)),
    })),
    links,
  };
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  return { pack: await uploadManifest(options, manifest), files: files.length, bytes, uploaded: uploader.uploaded };
}

function refuseEntries(entries: readonly PackEntry[]): void {
  const named = entries.find(({ path }) => !isPackPath(path));
  if (named !== undefined) throw cannotTravel(named.path, 'has a name that cannot travel');
  const link = linkOutside(linksOf(entries));
  if (link !== undefined) throw cannotTravel(link.path, 'is a link that leads out of the folder');
}

function cannotTravel(path: string, problem: string): ClientError {
  return new ClientError('bad-pack', `${JSON.stringify(path)} ${problem}`, { next: 'change it or leave it out' });
}

function linksOf(entries: readonly PackEntry[]): { path: string; target: string }[] {
  return entries.flatMap((entry) => (entry.kind === 'link' ? [{ path: entry.path, target: entry.target }] : []));
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  let waiting: Buffer[] = [];
  let size = 0;
  for await (const piece of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    let rest = piece as Buffer;
    while (size + rest.length >= CHUNK_BYTES) {
      yield Buffer.concat([...waiting, rest.subarray(0, CHUNK_BYTES - size)]);
      rest = rest.subarray(CHUNK_BYTES - size);
      waiting = [];
      size = 0;
    }
    if (rest.length > 0) waiting.push(rest);
    size += rest.length;
  }
  if (size > 0) yield Buffer.concat(waiting);
}

async function uploadManifest(options: SealPackOptions, manifest: PackManifest): Promise<PackReference> {
  const { org, project, rng, custodian } = options;
  const dataKey = DataKey.generate(rng);
  const sealed = sealObjectBytes(
    { dataKey, identity: { org, project, object: MANIFEST_OBJECT, version: 1 }, rng },
    canonicalBytes(manifest),
  );
  await custodian.uploadObjects([sealed.bytes]);
  return { manifest: sealed.digest, key: toBase64Url(dataKey.expose()) };
}

/** Gathers chunks, asks in batches which are there, seals and uploads the others. */
class ChunkUploader {
  readonly #options: SealPackOptions;
  readonly #seen = new Set<Digest>();
  readonly #known: Map<Digest, ChunkReference>;
  #waiting: PlainChunk[] = [];
  #travelling: Promise<void> = Promise.resolve();
  uploaded = 0;

  constructor(options: SealPackOptions) {
    this.#options = options;
    this.#known = options.arrived ?? new Map();
  }

  async add(bytes: Uint8Array): Promise<Digest> {
    const id = chunkId(this.#options.dedupeKey, bytes);
    if (!this.#seen.has(id) && !this.#known.has(id)) this.#waiting.push({ id, bytes });
    this.#seen.add(id);
    this.#options.onProgress?.(bytes.length);
    if (this.#waiting.length >= BATCH) await this.#send();
    return id;
  }

  reference(id: Digest): ChunkReference {
    const found = this.#known.get(id);
    if (found === undefined) throw new Error('a chunk was not uploaded');
    return found;
  }

  async flush(): Promise<void> {
    await this.#send();
    await this.#travelling;
  }

  /** Sends what waits once the batch before has arrived; the next is read meanwhile. */
  async #send(): Promise<void> {
    await this.#travelling;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#travelling = this.#travel(batch);
    // Whoever waits for the batch hears of its failure; nobody may be waiting yet.
    this.#travelling.catch(() => undefined);
  }

  async #travel(waiting: readonly PlainChunk[]): Promise<void> {
    if (waiting.length === 0) return;
    const { custodian } = this.#options;
    const sizes = new Map(waiting.map(({ id, bytes }) => [id, bytes.length]));
    // What cannot be the same bytes is not reused: whoever registered it, this pack would not open.
    for (const present of await custodian.presentChunks([...sizes.keys()]))
      if (present.size === sizes.get(present.id)) this.#known.set(present.id, present);
    for (const part of partsOf(waiting.filter(({ id }) => !this.#known.has(id)))) await this.#upload(part);
  }

  /** What the custodian has acknowledged is known to it before the next part travels, so that a cut costs one part. */
  async #upload(part: readonly PlainChunk[]): Promise<void> {
    const { custodian, onArrived, signal } = this.#options;
    if (signal?.aborted === true) throw new ClientError('aborted', 'the upload was ended');
    const sealed = part.map((chunk) => this.#seal(chunk));
    await custodian.uploadObjects(sealed.map(({ object }) => object));
    const references = sealed.map(({ reference }) => reference);
    for (const reference of references) {
      this.#known.set(reference.id, reference);
      this.uploaded += reference.size;
    }
    onArrived?.(references);
    await custodian.registerChunks(references);
  }

  #seal({ id, bytes }: PlainChunk): { reference: ChunkReference; object: Uint8Array } {
    const { org, project, rng } = this.#options;
    const dataKey = DataKey.generate(rng);
    const sealed = sealObjectBytes({ dataKey, identity: { org, project, object: id, version: 1 }, rng }, bytes);
    return {
      reference: { id, digest: sealed.digest, key: toBase64Url(dataKey.expose()), size: bytes.length },
      object: sealed.bytes,
    };
  }
}

/** Chunks in order, as many together as one request takes; a single one may be all of it. */
function partsOf(chunks: readonly PlainChunk[]): PlainChunk[][] {
  const parts: PlainChunk[][] = [];
  let bytes = PART_BYTES;
  for (const chunk of chunks) {
    bytes += chunk.bytes.length;
    if (bytes > PART_BYTES) {
      parts.push([]);
      bytes = chunk.bytes.length;
    }
    parts.at(-1)?.push(chunk);
  }
  return parts;
}
