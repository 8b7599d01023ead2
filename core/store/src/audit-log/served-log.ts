import type { OrgId } from '@ringfence/base';
import {
  consistencyRanges,
  formatVerifierKey,
  inclusionRanges,
  TILE_WIDTH,
  TileNodes,
  TreeView,
  type MerkleHash,
  type TileCoordinate,
  type TreeRange,
} from '@ringfence/ledger/tlog';
import type { AuditHead } from '@ringfence/protocol/api';
import { READ_ONLY, type AuditStore, type AuditTx } from './audit-store.ts';
import { logSigner, logVerifierKey, type LogIdentity } from './log-identity.ts';
import { signHead, type SignedHead } from './sequencer.ts';
import { readBundle, readFullTile, readHead, readPartialTile } from './stored-log.ts';

/** Gives out what is stored of logs; any replica may, since a checkpoint is signed over the row that was read. */
export class ServedLog {
  readonly #store: AuditStore;
  readonly #identity: LogIdentity;

  constructor(store: AuditStore, identity: LogIdentity) {
    this.#store = store;
    this.#identity = identity;
  }

  /** The signed checkpoint of all that is in the log; undefined before its first entry. */
  async head(org: OrgId): Promise<(SignedHead & { readonly epoch: number }) | undefined> {
    const head = await this.#store.withOrg(org, (tx) => readHead(tx, org), READ_ONLY);
    return head === undefined || head.size === 0
      ? undefined
      : { ...signHead(this.#identity, org, head), epoch: head.epoch };
  }

  /** The log's key and its newest checkpoint, as everybody is shown them. */
  async shown(org: OrgId): Promise<AuditHead> {
    const head = await this.head(org);
    const signer = logSigner(this.#identity, org, head?.epoch ?? this.#identity.epochOf(org));
    return {
      origin: signer.name,
      key: formatVerifierKey(logVerifierKey(signer)),
      size: head?.size ?? 0,
      checkpoint: head?.note ?? null,
    };
  }

  /** The bytes of a tile or bundle; undefined for one that the log is not wide enough for. */
  async tile(org: OrgId, tile: TileCoordinate): Promise<Uint8Array | undefined> {
    return this.#store.withOrg(org, (tx) => readTile(tx, org, tile), READ_ONLY);
  }

  /** Proof that the log of `size` begins with its first `oldSize` entries. */
  proveConsistency(org: OrgId, oldSize: number, size: number): Promise<MerkleHash[]> {
    return this.#prove(org, size, consistencyRanges(oldSize, size), (view) => view.proveConsistency(oldSize));
  }

  /** Proof that entry `index` is in the log of `size`. */
  proveInclusion(org: OrgId, index: number, size: number): Promise<MerkleHash[]> {
    return this.#prove(org, size, inclusionRanges(index, size), (view) => view.proveInclusion(index));
  }

  /** Throws LedgerError `broken-ledger` where a tile is not there. */
  #prove(
    org: OrgId,
    size: number,
    ranges: readonly TreeRange[],
    make: (view: TreeView) => MerkleHash[],
  ): Promise<MerkleHash[]> {
    return this.#store.withOrg(
      org,
      async (tx) => {
        const nodes = new TileNodes();
        for (const tile of nodes.missing(ranges, size)) {
          const bytes = await readTile(tx, org, tile);
          if (bytes !== undefined) nodes.add(tile, bytes);
        }
        return make(new TreeView(nodes, size));
      },
      READ_ONLY,
    );
  }
}

async function readTile(
  tx: AuditTx,
  org: OrgId,
  { level, index, width }: TileCoordinate,
): Promise<Uint8Array | undefined> {
  const first = index * TILE_WIDTH;
  if (level === 'entries') return readBundle(tx, org, first, width);
  if (width === TILE_WIDTH) return readFullTile(tx, org, level, index);
  const bytes = await readPartialTile(tx, org, { level, first, width });
  return bytes.length === width * 32 ? bytes : undefined;
}
