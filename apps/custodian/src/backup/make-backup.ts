import { Readable } from 'node:stream';
import type { DeviceId } from '@ringfence/base';
import { sealObject } from '@ringfence/crypto/seal';
import { parseDigest } from '@ringfence/crypto/sign';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { writeEntryHead, type EntryHead } from './archive-entries.ts';
import { archiveIdentity, makeHeader } from './archive-header.ts';
import { BACKUP_TABLES, readLines } from './row-lines.ts';

/** One archive with keys, rows and objects, sealed under `passphrase`, as a stream. It counts as made once its last byte was handed on. */
export async function makeBackup(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { passphrase, device }: { passphrase: string; device: DeviceId },
): Promise<Readable> {
  const { org, project } = claimed;
  const { bytes, dataKey } = await makeHeader({ org, project }, passphrase, context.rng);
  const options = { dataKey, identity: archiveIdentity({ org, project }), rng: context.rng };
  async function* archive(): AsyncGenerator<Uint8Array> {
    // Objects that its rows name stay until they are in it.
    const release = context.objects.hold();
    try {
      yield bytes;
      yield* sealObject(options, contentOf(context, claimed));
    } finally {
      release();
    }
    await noteBackup(context, claimed, device);
  }
  return Readable.from(archive(), { objectMode: false });
}

async function* contentOf(context: CustodianContext, claimed: ClaimedOrganisation): AsyncGenerator<Uint8Array> {
  const keys = context.keyBytes.expose();
  yield* entry({ kind: 'keys', length: keys.length }, keys);
  // A rotation may begin or end meanwhile: versions of before and after are in it.
  const earlier = context.ring.versions;
  const { tables, objects } = await snapshot(context, claimed);
  const ring = context.ring.toBackup(earlier)?.expose();
  if (ring !== undefined) yield* entry({ kind: 'organisation-keys', length: ring.length }, ring);
  for (const { table, lines } of tables) yield* entry({ kind: 'rows', table, length: lines.length }, lines);
  for (const name of objects) {
    const digest = parseDigest(name);
    const found = digest === undefined ? undefined : await context.objects.read(digest);
    if (digest === undefined || found === undefined) continue;
    yield writeEntryHead({ kind: 'object', digest, length: found.size });
    yield* found.stream as AsyncIterable<Uint8Array>;
  }
  yield writeEntryHead({ kind: 'end', length: 0 });
}

/** All rows as of one moment. Objects never change: those that the rows name are there. */
async function snapshot(context: CustodianContext, { org }: ClaimedOrganisation) {
  return context.store.withOrg(
    org,
    async (tx) => {
      const tables: { table: string; lines: Uint8Array }[] = [];
      for (const table of BACKUP_TABLES) tables.push({ table, lines: await readLines(tx, table) });
      const objects = await tx.selectFrom('object').select('digest').execute();
      return { tables, objects: objects.map(({ digest }) => digest) };
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}

function* entry(head: EntryHead, bytes: Uint8Array): Generator<Uint8Array> {
  yield writeEntryHead(head);
  if (bytes.length > 0) yield bytes;
}

async function noteBackup(context: CustodianContext, { org }: ClaimedOrganisation, device: DeviceId): Promise<void> {
  await context.store.withOrg(org, async (tx) => {
    await tx.updateTable('organisation').set({ last_backup_at: context.clock.now() }).where('org', '=', org).execute();
    await context.record(tx, org, { type: 'backed-up', device });
  });
}
