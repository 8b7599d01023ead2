import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalBytes, fromBase64Url, fromUtf8, Secret, toBase64Url, type Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { openAtRest, sealAtRest, type RecordKey } from '@ringfence/crypto/record';
import { bytes32 } from '@ringfence/protocol';
import { z } from 'zod';
import { CustodianError } from '../custodian-error.ts';
import type { Fault } from '../fault-points.ts';

/** `key` is null once the version is destroyed. */
const stored = z.strictObject({
  v: z.literal(1),
  versions: z.array(z.strictObject({ version: z.int().min(1).max(1_000_000), key: bytes32.nullable() })).max(10_000),
});
/** Versions with their keys. */
export type RingVersions = readonly z.infer<typeof stored>['versions'][number][];

const PLACE = { file: 'organisation-keys' } as const;

/** What the ring needs to rest. */
export interface RingParts {
  /** Folder of the custodian. */
  readonly state: string;
  /** The root seal, as the vault opened it. */
  readonly seal: RecordKey;
  readonly rng: Rng;
  /** Throws when this process may write no more. */
  readonly mayWrite: () => void;
  readonly fault: Fault;
}

/**
 * The versions of the organisation's KEK that the custodian itself holds: one small file beside the database, sealed by the root seal, so that no
 * copy of the database has a key that opens its rows. Every change is on disk before it counts.
 */
export class OrganisationRing {
  readonly #parts: RingParts;
  #versions: RingVersions;

  /** Reads the ring of the state folder; there may be none yet. Throws CustodianError `bad-keys`. */
  constructor(parts: RingParts) {
    this.#parts = parts;
    const file = ringFile(parts.state);
    this.#versions = existsSync(file) ? readRing(parts.seal, readFileSync(file)) : [];
  }

  /** The newest version that is not destroyed. */
  get current(): number | undefined {
    return this.#versions.findLast(({ key }) => key !== null)?.version;
  }

  /** Versions that are not destroyed. */
  get live(): readonly number[] {
    return this.#versions.flatMap(({ version, key }) => (key === null ? [] : [version]));
  }

  /** The key of a version; `destroyed` for one that was, undefined for one that never was. The caller disposes of it. */
  key(version: number): Secret | 'destroyed' | undefined {
    const found = this.#versions.find((one) => one.version === version);
    if (found === undefined) return undefined;
    return found.key === null ? 'destroyed' : new Secret(Uint8Array.from(fromBase64Url(found.key)));
  }

  /** Makes the next version the current one: of this key, or of a random one. */
  add(key?: Secret): number {
    const version = (this.#versions.at(-1)?.version ?? 0) + 1;
    const bytes = key === undefined ? this.#parts.rng.bytes(32) : key.expose();
    this.#write([...this.#versions, { version, key: toBase64Url(bytes) }]);
    return version;
  }

  /** Destroys a version: the file is written anew without it. */
  destroy(version: number): void {
    this.#write(this.#versions.map((one) => (one.version === version ? { version, key: null } : one)));
  }

  /** All versions as they rest, with keys. */
  get versions(): RingVersions {
    return this.#versions;
  }

  /** The bytes of a backup, with the keys that `earlier` still had; undefined without a version. */
  toBackup(earlier: RingVersions): Secret | undefined {
    if (this.#versions.length === 0) return undefined;
    const versions = this.#versions.map((now) => earlier.find(({ version }) => version === now.version) ?? now);
    return new Secret(canonicalBytes({ v: 1, versions }));
  }

  #write(versions: RingVersions): void {
    const { state, seal, rng, mayWrite, fault } = this.#parts;
    mayWrite();
    fault('ring-before-write');
    writeFileAtomic(ringFile(state), sealAtRest(seal, PLACE, canonicalBytes({ v: 1, versions }), rng));
    this.#versions = versions;
  }
}

/** Puts the ring of a backup into a new state folder. Throws CustodianError `bad-keys`. */
export function restoreRing({ state, seal, rng }: Omit<RingParts, 'mayWrite' | 'fault'>, bytes: Secret): void {
  parse(bytes.expose());
  writeFileAtomic(ringFile(state), sealAtRest(seal, PLACE, bytes.expose(), rng));
}

function ringFile(state: string): string {
  return join(state, 'organisation-keys.sealed');
}

function readRing(seal: RecordKey, sealed: Uint8Array): RingVersions {
  try {
    return parse(openAtRest(seal, PLACE, sealed));
  } catch (cause) {
    if (cause instanceof CustodianError) throw cause;
    throw badRing();
  }
}

function parse(bytes: Uint8Array): RingVersions {
  try {
    return stored.parse(JSON.parse(fromUtf8(bytes))).versions;
  } catch {
    // The parser's message would quote the keys.
    throw badRing();
  }
}

function badRing(): CustodianError {
  return new CustodianError(
    'bad-keys',
    'organisation-keys.sealed does not open, or is not of a form that this release knows',
    {
      next: 'bring the file back from where it was, or restore a backup into a new folder',
    },
  );
}
