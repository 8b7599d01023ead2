import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRng, utf8 } from '@ringfence/base';
import { NoteKey } from '@ringfence/crypto/note';
import {
  appendEntries,
  consistencyRanges,
  edgeRoot,
  EMPTY_LOG,
  offerOf,
  originOf,
  signCheckpoint,
  TileNodes,
  TreeView,
  type CheckpointOffer,
} from '@ringfence/ledger/tlog';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const key = NoteKey.generate(seededRng('control plane log'));

/** The offer of a log of so many entries; those of another history differ. */
function offer(origin: string, size: number, oldSize: number, history = 'a'): CheckpointOffer {
  const entries = Array.from({ length: size }, (_, at) => utf8(`${history} ${at}`));
  const { edge, tiles } = appendEntries(EMPTY_LOG, entries);
  const nodes = new TileNodes();
  for (const { tile, bytes } of tiles) if (tile.level !== 'entries') nodes.add(tile, bytes);
  const note = signCheckpoint({ origin, size, root: edgeRoot(edge.tree), extensions: [] }, { name: origin, key });
  const proof =
    consistencyRanges(oldSize, size).length === 0 ? [] : new TreeView(nodes, size).proveConsistency(oldSize);
  return offerOf(note, { name: origin, publicKey: key.publicKey }, { oldSize, proof });
}

test('the control plane’s log is stored and cosigned as it grows, and what contradicts it is told and journaled, once', async () => {
  const { context } = rig.custodian;
  const claimed = context.owner.claimed ?? assert.fail();
  const origin = originOf(claimed.controlPlane.id, claimed.org, 1);
  const take = (shown: CheckpointOffer) =>
    context.witness.take(claimed, { ...shown, proof: [...shown.proof] } as never);
  assert.equal(await take(offer(origin, 5, 0)), undefined);
  assert.equal(await take(offer(origin, 5, 0)), undefined, 'the same again');
  assert.equal(await take(offer(origin, 300, 5)), undefined);
  const seen = await organisation.client.auditWitnessed();
  assert.equal(seen.controlPlane?.size, 300);
  assert.deepEqual(
    seen.cosigned.map(({ size }) => size),
    [300],
  );
  assert.deepEqual(seen.accusations, []);
  const fact = await take(offer(origin, 310, 300, 'b'));
  assert.equal(fact?.name, 'log-accused');
  await take(offer(origin, 310, 300, 'b'));
  const after = await organisation.client.auditWitnessed();
  assert.deepEqual(
    after.accusations.map(({ witness, accusation }) => [witness, accusation.fault, accusation.until]),
    [[context.keys.id, 'rewritten', 300]],
  );
  assert.equal(context.witness.accused, 2);
  await take(offer(origin, 320, 300));
  assert.equal(
    (await organisation.client.auditWitnessed()).cosigned[0]?.size,
    300,
    'nothing of it is cosigned any more',
  );
});
