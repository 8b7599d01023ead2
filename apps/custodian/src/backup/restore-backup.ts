import { createReadStream, existsSync, openSync, readSync, closeSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Secret, type Clock, type Log, type OrgId, type Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { openObject, CryptoError } from '@ringfence/crypto/open';
import { foldKeyring, readStatement, parseRegistrationCode } from '@ringfence/keyring';
import { TOTP_STEP_MS, TOTP_STEPS_OFF } from '@ringfence/policy/second-factors';
import { CustodianError } from '../custodian-error.ts';
import type { Fault } from '../fault-points.ts';
import { readKeyBytes } from '../identity/custodian-keys.ts';
import { storeKeys, type VaultOptions } from '../identity/key-vault.ts';
import { announceEvidence } from '../evidence/evidence-notice.ts';
import { noticesOf } from '../keyring/change-keyring.ts';
import { restoreRing } from '../keys/organisation-ring.ts';
import { recordEvent } from '../ledger/record-event.ts';
import { enqueue } from '../links/outbox.ts';
import { openDoubts } from '../privacy-ledger/doubts.ts';
import { noteEarlierOutputs } from '../privacy-ledger/lineage.ts';
import { ObjectStore, type IncomingObject } from '../objects/object-store.ts';
import { openStore, type CustodianStore } from '../store/open-store.ts';
import { ColumnSeal } from '../store/sealed-column.ts';
import { REGISTRATION } from '../store/sealed-columns.ts';
import { restoreMarker } from './half-restored.ts';
import { badArchive, readEntries, type EntryHead } from './archive-entries.ts';
import { readHeader } from './archive-header.ts';
import { BACKUP_TABLES, writeLines } from './row-lines.ts';

/** What a restore needs. */
export interface RestoreOptions {
  readonly state: string;
  readonly from: string;
  readonly passphrase: string;
  readonly vault: VaultOptions;
  readonly databaseUrl: string | undefined;
  /** A fresh registration code of the same control plane, which lets the restored custodian begin a new journal there. */
  readonly registration: string | undefined;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly fault: Fault;
}

/**
 * Fills a new state folder from an archive and opens a new epoch: whatever was granted before is void, and every member is announced anew.
 * Throws CustodianError `bad-backup`.
 */
export async function restoreBackup(options: RestoreOptions): Promise<{ org: OrgId; epoch: number }> {
  const { state, clock, rng, log } = options;
  if (existsSync(join(state, 'keys.sealed')) || existsSync(join(state, 'keys.passphrase')))
    throw new CustodianError('bad-backup', 'this folder has a custodian already', { next: 'name a new folder' });
  const { identity, dataKey, bytes } = await readHeader(startOf(options.from), options.passphrase);
  writeFileAtomic(restoreMarker(state), '');
  const opened = await openStore({ stateDir: state, url: options.databaseUrl, clock, log });
  try {
    const objects = await ObjectStore.open(join(state, 'objects'), rng, options.fault);
    const sealed = createReadStream(options.from, { start: bytes });
    const plain = openObject({ dataKey, identity }, sealed as AsyncIterable<Uint8Array>);
    const read = await readArchive(plain, objects);
    await opened.store.withOrg(identity.org, async (tx) => {
      for (const table of BACKUP_TABLES) await writeLines(tx, table, read.rows.get(table) ?? new Uint8Array());
    });
    const epoch = await beginEpoch(options, opened.store, { org: identity.org, keys: read.keys });
    if (read.ring !== undefined) restoreRing({ state, rng, seal: readKeyBytes(read.keys).records }, read.ring);
    await storeKeys(read.keys, options.vault);
    rmSync(restoreMarker(state));
    return { org: identity.org, epoch };
  } catch (error) {
    if (error instanceof CryptoError) throw badArchive(error);
    throw error;
  } finally {
    await opened.close();
  }
}

const LONGEST_START = 8_192;

function startOf(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(LONGEST_START);
    return start.subarray(0, readSync(file, start));
  } finally {
    closeSync(file);
  }
}

async function readArchive(
  plain: AsyncIterable<Uint8Array>,
  objects: ObjectStore,
): Promise<{ keys: Secret; ring: Secret | undefined; rows: ReadonlyMap<string, Uint8Array> }> {
  const rows = new Map<string, Uint8Array>();
  let keys: Secret | undefined;
  let ring: Secret | undefined;
  let head: EntryHead | undefined;
  let parts: Uint8Array[] = [];
  let incoming: IncomingObject | undefined;
  for await (const piece of readEntries(plain)) {
    if (piece.kind === 'begin') {
      head = piece.head;
      parts = [];
      if (head.kind === 'object') incoming = await objects.receive();
    } else if (piece.kind === 'bytes') {
      if (incoming === undefined) parts.push(Buffer.from(piece.bytes));
      else await incoming.write(piece.bytes);
    } else if (head?.kind === 'object' && incoming !== undefined) {
      if ((await incoming.keep()).digest !== head.digest) throw badArchive();
      incoming = undefined;
    } else if (head?.kind === 'keys') keys = new Secret(Buffer.concat(parts));
    else if (head?.kind === 'organisation-keys') ring = new Secret(Buffer.concat(parts));
    else if (head?.kind === 'rows') rows.set(head.table, Buffer.concat(parts));
  }
  if (keys === undefined) throw badArchive();
  return { keys, ring, rows };
}

async function beginEpoch(
  { clock, rng, registration }: RestoreOptions,
  store: CustodianStore,
  of: { org: OrgId; keys: Secret },
): Promise<number> {
  const { org } = of;
  const columns = new ColumnSeal(readKeyBytes(of.keys), rng);
  const record = recordEvent(clock);
  if (registration !== undefined) parseRegistrationCode(registration);
  return store.withOrg(org, async (tx) => {
    const row = await tx.selectFrom('organisation').select('epoch').forUpdate().executeTakeFirstOrThrow();
    const epoch = row.epoch + 1;
    const again =
      registration === undefined
        ? {}
        : { state: 'registering' as const, registration_box: columns.seal(REGISTRATION, org, registration) };
    await tx
      .updateTable('organisation')
      .set({ epoch, outbox_seq: 0, roles_told: false, ...again })
      .where('org', '=', org)
      .execute();
    // What the control plane was told since the archive was made is unknown: it hears everything again.
    await tx.updateTable('endpoint_slot').set({ told: null }).where('wanted', '=', true).execute();
    await tx.updateTable('endpoint_slot').set({ told: 'wanted' }).where('wanted', '=', false).execute();
    // A code that was used since the archive was made is not used again.
    await tx
      .updateTable('totp')
      .set({ last_step: Math.floor(clock.now() / TOTP_STEP_MS) + TOTP_STEPS_OFF })
      .execute();
    await record(tx, org, { type: 'restored', epoch });
    // An archive of a release before all of it was kept.
    await noteEarlierOutputs(tx, { org, at: clock.now() });
    // Leave may have been given for rounds since the archive was made.
    await openDoubts(tx, org, { cause: 'restored', at: clock.now() });
    await record(tx, org, { type: 'privacy-doubted', cause: 'restored' });
    const statements = await tx.selectFrom('keyring_statement').select('envelope').orderBy('seq').execute();
    for (const [seq, { envelope }] of statements.entries())
      for (const notice of noticesOf(readStatement('keyring', envelope).claimed.change, seq))
        await enqueue(tx, org, notice);
    await tx.updateTable('agent').set({ admission_told: null }).execute();
    await announceEvidence(tx, org, foldKeyring(statements.map(({ envelope }) => envelope)));
    return epoch;
  });
}
