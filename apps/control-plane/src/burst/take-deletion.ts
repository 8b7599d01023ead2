import { canonicalJson, type AgentId, type CustodianId, type OfferId, type OrgId } from '@ringfence/base';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import { stepBurst } from '@ringfence/policy/burst';
import type { MessageBody } from '@ringfence/protocol/messages';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { verifyStatement, type VerifiedStatement } from '../jobs/verified-statement.ts';
import { enqueueToCustodian } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';
import { carryOut } from './carry-out.ts';
import { askedOf, findOrder, keepDeletion, keepShredded, openOrders, type DeletionOrder } from './deletion-orders.ts';
import { openPool, savePool } from './open-pool.ts';

/**
 * Takes what an agent says that it deleted: kept, told to the custodian, and the machine may be given back. What no order asked it for, or does not
 * verify, changes nothing; its agent has no other answer.
 */
export async function takeDeleted(
  context: ControlPlaneContext,
  tx: Tx,
  from: { readonly org: OrgId; readonly agent: AgentId },
  { request, statement }: MessageBody<'deleted'>,
): Promise<void> {
  const order = await findOrder(tx, request);
  if (order?.agent !== from.agent || order.deletion !== null) return;
  const { sign_key } = await tx
    .selectFrom('party')
    .select('sign_key')
    .where('id', '=', from.agent)
    .executeTakeFirstOrThrow();
  const deletion = verified(order, statement, sign_key);
  if (deletion === undefined) return context.log.warn('deletion.refused', { agent: from.agent });
  const { digest, envelope } = deletion;
  await keepDeletion(tx, request, deletion);
  await context.record(tx, from.org, { type: 'data-deleted', agent: from.agent, request, deletionDigest: digest });
  const body = { ...askedOf(order), agent: from.agent, deletion: envelope };
  await enqueueToCustodian(context, tx, from.org, { name: 'shred-keys', body });
  await answered(context, tx, from.org, { order, type: 'deletion-signed' });
}

/** Takes the custodian's word that the keys of an order are destroyed. */
export async function takeShredded(
  context: ControlPlaneContext,
  tx: Tx,
  { org, custodian }: { readonly org: OrgId; readonly custodian: CustodianId },
  { request, attempts }: MessageBody<'keys-shredded'>,
): Promise<void> {
  const order = await findOrder(tx, request);
  if (order === undefined || order.shredded || canonicalJson(attempts) !== canonicalJson(askedOf(order).attempts))
    return;
  await keepShredded(tx, request);
  await context.record(tx, org, { type: 'keys-shredded', custodian, request });
  await answered(context, tx, org, { order, type: 'keys-shredded' });
}

function verified(
  order: DeletionOrder,
  envelope: MessageBody<'deleted'>['statement'],
  key: SigningPublicKey,
): VerifiedStatement<'deletion'> | undefined {
  try {
    const deletion = verifyStatement('deletion', envelope, key);
    const { org, agent, request, attempts } = deletion.body;
    const same = canonicalJson(attempts) === canonicalJson(askedOf(order).attempts);
    return org === order.org && agent === order.agent && request === order.request && same ? deletion : undefined;
  } catch (error) {
    if (error instanceof ControlPlaneError) return undefined;
    throw error;
  }
}

/** Tells burst and return when every order about the machine has this answer. */
async function answered(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  { order, type }: { readonly order: DeletionOrder; readonly type: 'deletion-signed' | 'keys-shredded' },
): Promise<void> {
  const pool = await openPool(tx, org);
  if (pool === undefined || !order.open || !(await allAnswered(tx, order.offer, type))) return;
  const now = context.clock.now();
  const step = stepBurst(pool.state, { type, now, offer: order.offer }, pool.terms);
  if (!step.allow) throw new RangeError('only a placement can be refused');
  await carryOut(context, tx, pool, { commands: step.commands, because: { state: step.state, now } });
  await savePool(tx, pool, { after: step.state, now });
}

async function allAnswered(tx: Tx, offer: OfferId, type: 'deletion-signed' | 'keys-shredded'): Promise<boolean> {
  const orders = await openOrders(tx, offer);
  return orders.every(({ deletion, shredded }) => (type === 'deletion-signed' ? deletion !== null : shredded));
}
