import { Readable } from 'node:stream';
import { sha256Hex, type Digest } from '@ringfence/crypto/seal';
import type { ChunkReference } from '@ringfence/protocol/payload';
import type { SealPackOptions } from './seal-pack.ts';

/** Keeps what a custodian would, in memory, and counts what travelled. */
export class PackStore {
  readonly objects = new Map<Digest, Uint8Array>();
  readonly chunks = new Map<Digest, ChunkReference>();
  travelled = 0;

  /** The calls that sealing makes. */
  readonly calls: SealPackOptions['custodian'] = {
    presentChunks: async (ids) => ids.flatMap((id) => this.chunks.get(id) ?? []),
    uploadObjects: async (objects) => {
      const stored: Digest[] = [];
      for await (const bytes of objects) {
        this.travelled += bytes.length;
        stored.push(this.put(bytes));
      }
      return stored;
    },
    registerChunks: async (chunks) => {
      for (const chunk of chunks) this.chunks.set(chunk.id, chunk);
    },
  };

  /** Stores an object under its digest. */
  put(bytes: Uint8Array): Digest {
    const digest = sha256Hex(bytes);
    this.objects.set(digest, Uint8Array.from(bytes));
    return digest;
  }

  /** The bytes of an object. */
  readonly fetch = async (digest: Digest): Promise<Uint8Array> => {
    const bytes = this.objects.get(digest);
    if (bytes === undefined) throw new Error('no such object');
    const parts: Buffer[] = [];
    for await (const part of Readable.from([Buffer.from(bytes)])) parts.push(part as Buffer);
    return Buffer.concat(parts);
  };
}
