import { peerNameRequest, peersAnswer, type PeerName } from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { memberRoute, type Route } from '../http/route.ts';
import { PEER_NAME } from '../store/sealed-columns.ts';

/** Routes of what people call other organisations; who is a peer, the keyring says. */
export function peerRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/peers',
      summary: 'What people here call the organisations that are peers, or were.',
      who: ['device'],
      action: 'contract:read',
      answer: peersAnswer,
      handle: async (_, __, claimed) => ({ peers: await peerNames(context, claimed) }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/peers',
      summary: 'Names a peer.',
      who: ['device'],
      action: 'contract:sign',
      body: peerNameRequest,
      answer: peersAnswer,
      handle: async ({ body }, _, claimed) => {
        await namePeer(context, claimed, body);
        return { peers: await peerNames(context, claimed) };
      },
    }),
  ];
}

async function peerNames({ store, columns }: CustodianContext, { org }: ClaimedOrganisation): Promise<PeerName[]> {
  const rows = await store.withOrg(org, (tx) => tx.selectFrom('peer_name').selectAll().orderBy('peer').execute(), {
    readOnly: true,
  });
  return rows.map(({ peer, name_box }) => ({ org: peer, name: columns.open(PEER_NAME, peer, name_box) }));
}

async function namePeer(
  { store, columns }: CustodianContext,
  { org, keyring }: ClaimedOrganisation,
  { org: peer, name }: PeerName,
): Promise<void> {
  if (keyring.peerRoot(peer) === undefined)
    throw new CustodianError('not-found', 'this organisation is no peer', { next: 'ringfence peer add' });
  const name_box = columns.seal(PEER_NAME, peer, name);
  await store.withOrg(org, async (tx) => {
    await tx
      .insertInto('peer_name')
      .values({ org, peer, name_box })
      .onConflict((conflict) => conflict.columns(['org', 'peer']).doUpdateSet({ name_box }))
      .execute();
  });
}
