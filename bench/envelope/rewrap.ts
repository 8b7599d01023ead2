// One rotation by the custodian's own code: its tables on an embedded PostgreSQL, filled with chunks.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, Secret, silentLog, systemRng as rng, toHex } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { RecordKey } from '@ringfence/crypto/record';
import { DataKey, KeyEncryptionKey, wrapDataKey } from '@ringfence/crypto/seal';
import { createTestDatabase } from '@ringfence/store/test-database';
import { sql } from 'kysely';
import { openKeys, type OpenKeys } from '../../apps/custodian/src/keys/open-keys.ts';
import type { KeyOwner } from '../../apps/custodian/src/keys/project-keys.ts';
import { countWrapped } from '../../apps/custodian/src/keys/wrapped-tables.ts';
import { recordEvent } from '../../apps/custodian/src/ledger/record-event.ts';
import { openStore, type CustodianStore } from '../../apps/custodian/src/store/open-store.ts';

const PART = 10_000;

/** Seconds from the order of a rotation over `count` data keys to its end; throws when one was not wrapped again. */
export async function rewrapSeconds(count: number): Promise<number> {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-envelope-'));
  const database = await createTestDatabase('rf_cu');
  const opened = await openStore({ stateDir: state, url: database.url, clock, log: silentLog });
  const { store } = opened;
  try {
    const owner = { org: newId('org', rng), project: newId('project', rng) };
    const keys = openKeys({
      store,
      state,
      seal: RecordKey.generate(rng),
      earlier: new KeyEncryptionKey('kek-1', 1, new Secret(rng.bytes(32))),
      mayWrite: () => {},
      fault: () => {},
      record: recordEvent(clock),
      clock,
      rng,
      log: silentLog,
    });
    await fill(store, keys, { owner, count });
    keys.rotation.start(owner);
    await keys.rotation.settled();
    const begun = performance.now();
    await keys.rotation.begin(owner, { cause: 'rotated' }, newId('device', rng));
    await keys.rotation.settled();
    const seconds = (performance.now() - begun) / 1_000;
    const { total, stale } = await store.withOrg(owner.org, (tx) => countWrapped(tx, owner, 2));
    if (total !== count || stale > 0 || keys.ring.live.length !== 1) throw new Error('the rotation is not complete');
    return seconds;
  } finally {
    await opened.close();
    await database.drop();
    rmSync(state, { recursive: true, force: true });
  }
}

async function fill(
  store: CustodianStore,
  { projectKeys }: OpenKeys,
  { owner, count }: { owner: KeyOwner; count: number },
): Promise<void> {
  const { org, project } = owner;
  await store.withOrg(org, (tx) =>
    sql`insert into organisation (org, project, state, claim_digest, control_plane, passphrase_sealed, keyring_seq, head, head_at)
      values (${org}, ${project}, 'claimed', '', '{}', true, 0, '{}', 0)`.execute(tx),
  );
  for (let at = 0; at < count; at += PART) {
    await store.withOrg(org, async (tx) => {
      const kek = await projectKeys.current(tx, owner);
      const rows = Array.from({ length: Math.min(PART, count - at) }, () => {
        const id = toHex(rng.bytes(32));
        return { id, box: wrapDataKey(kek, DataKey.generate(rng), { org, project, object: id, version: 1 }, rng).box };
      });
      const ids = rows.map(({ id }) => id);
      const boxes = rows.map(({ box }) => box);
      await sql`insert into chunk (id, org, digest, size, kek, kek_version, key_box)
        select id, ${org}, id, 1048576, ${project}, 1, box from unnest(${ids}::text[], ${boxes}::text[]) as d(id, box)`.execute(
        tx,
      );
    });
  }
}
