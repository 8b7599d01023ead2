import type { AgentId, CustodianId, OrgId } from '@ringfence/base';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import { sql } from 'kysely';
import { takeDeleted, takeShredded } from '../burst/take-deletion.ts';
import { ControlPlaneError } from '../control-plane-error.ts';
import { reportAttempt } from '../jobs/attempt-report.ts';
import { changeJob } from '../jobs/change-job.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { takeWish } from '../jobs/take-wish.ts';
import { takeAdmission } from '../marketplace/take-admission.ts';
import { replaceOffer } from '../placement/replace-offer.ts';
import { takeEvidence } from '../placement/site-evidence.ts';
import { takeDeviceRoles } from '../registration/device-roles.ts';
import { takeMember } from '../registration/members.ts';
import type { Tx } from '../store/open-store.ts';
import type { PartyId } from '../store/tables.ts';
import { takeLockMessage } from '../locks/lock-message.ts';
import { takeWord } from '../locks/locks.ts';
import type { Connected } from './party-link.ts';

/** A durable message, its id, and the connection that it came over. */
export interface ArrivedMessage {
  readonly from: Connected;
  readonly message: DurablePartyMessage;
  readonly mid: number;
}

/**
 * Takes messages of an organisation's parties with their ids, in the caller's transaction: each is processed once, whichever replica it
 * reached. Gives a ControlPlaneError `conflict` for each that came over an old connection; nothing of those is taken.
 */
export async function takeMessages(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  arrived: readonly ArrivedMessage[],
): Promise<ReadonlyMap<ArrivedMessage, ControlPlaneError>> {
  const refused = new Map<ArrivedMessage, ControlPlaneError>();
  const received = await receiveAll(tx, org, { arrived, at: context.clock.now() });
  for (const one of arrived) {
    const { from, message, mid } = one;
    const held = received.get(from.party.id);
    // A group may hold what came over a party's old connection beside the same, sent again over its new one.
    if (held?.connection !== from.connection)
      refused.set(one, new ControlPlaneError('conflict', 'the party has a newer connection'));
    else if (mid > held.mid) {
      await apply(context, tx, from, message);
      received.set(from.party.id, { ...held, mid });
    }
  }
  for (const { message } of arrived) {
    context.fault('message-before-commit');
    if (message.name === 'committed') context.fault('committed-before-commit');
    if (message.name === 'wanted') context.fault('wanted-before-commit');
  }
  return refused;
}

/** A party's newest connection, and the highest id that was received from it. */
interface Received {
  readonly connection: number;
  readonly mid: number;
}

/** Holds the parties whose connections are their newest, and marks the ids as received; what was received before. */
async function receiveAll(
  tx: Tx,
  org: OrgId,
  { arrived, at }: { arrived: readonly ArrivedMessage[]; at: number },
): Promise<Map<PartyId, Received>> {
  const ids = arrived.map(({ from }) => from.party.id);
  const connections = arrived.map(({ from }) => from.connection);
  const mids = arrived.map(({ mid }) => mid);
  const { rows } = await sql<{ id: PartyId; connection: number; received_mid: number }>`
    with arrived as (
      select id, connection, max(mid) as mid
      from unnest(${ids}::text[], ${connections}::bigint[], ${mids}::bigint[]) as arrived (id, connection, mid) group by id, connection
    ), held as (
      select party.id, party.connection, party.received_mid, arrived.mid from party join arrived using (id, connection)
      where party.org = ${org} and party.locked is null and not party.removed order by party.id for no key update of party
    ), marked as (
      update party set received_mid = greatest(party.received_mid, held.mid), seen_at = ${at} from held where party.id = held.id
    )
    select id, connection, received_mid from held`.execute(tx);
  return new Map(rows.map(({ id, connection, received_mid }) => [id, { connection, mid: received_mid }]));
}

async function apply(
  context: ControlPlaneContext,
  tx: Tx,
  { party }: Connected,
  message: DurablePartyMessage,
): Promise<void> {
  const { org } = party;
  switch (message.name) {
    case 'offer':
      return replaceOffer(context, tx, { org, agent: party.id as AgentId }, message.body);
    case 'attempt-status':
      return reportAttempt(context, tx, { org, agent: party.id as AgentId }, message.body);
    case 'member':
      return takeMember(context, tx, party, message.body);
    case 'device-roles':
      return takeDeviceRoles(context, tx, org, message.body);
    case 'committed':
      await changeJob(
        context,
        tx,
        { org, job: message.body.job },
        { kind: 'committed', attempt: message.body.attempt },
      );
      return;
    case 'wanted':
      return takeWish(context, tx, org, message.body);
    case 'evidence':
      return takeEvidence(context, tx, org, message.body);
    case 'admission':
      return takeAdmission(context, tx, org, message.body);
    case 'deleted':
      return takeDeleted(context, tx, { org, agent: party.id as AgentId }, message.body);
    case 'keys-shredded':
      return takeShredded(context, tx, { org, custodian: party.id as CustodianId }, message.body);
    case 'lock':
      return takeLockMessage(context, tx, org, message.body);
    case 'lock-word':
      return takeWord(context, tx, org, { ...message.body, source: 'custodian' });
    default:
      return message satisfies never;
  }
}
