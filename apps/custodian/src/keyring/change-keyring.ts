import { isId, type OrgId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { extendKeyring, nextStatement, readStatement, signStatement, type Keyring } from '@ringfence/keyring';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import type { KeyringChange } from '@ringfence/protocol/statements';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import { announceChangedRoles } from '../access/roles-notice.ts';
import type { CustodianContext } from '../context.ts';
import { announceLostEvidence } from '../evidence/evidence-notice.ts';
import { enqueue } from '../links/outbox.ts';
import { announceChangedAdmissions } from '../marketplace/admission-notice.ts';
import type { Tx } from '../store/open-store.ts';
import { headOf } from './signed-head.ts';

/** Extends the keyring in a transaction: `append` at most once, last before it commits. */
export interface KeyringTransaction {
  readonly tx: Tx;
  /** Adds a statement that somebody else signed; throws KeyringError. */
  readonly append: (statement: Envelope) => Promise<void>;
  /** Adds a change under the enrolment key; throws KeyringError. */
  readonly sign: (change: KeyringChange) => Promise<void>;
}

/**
 * Runs `change` in one transaction with everything that a new statement brings: the row, a fresh head, the messages to the control plane,
 * the ledger's entry. Memory and open links follow after the commit.
 */
export async function changeKeyring<T>(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  change: (transaction: KeyringTransaction) => Promise<T>,
): Promise<T> {
  return claimed.exclusively(async () => {
    let next: Parameters<ClaimedOrganisation['advance']>[0] | undefined;
    const result = await context.store.withOrg(claimed.org, async (tx) => {
      const append = async (statement: Envelope): Promise<void> => {
        const keyring = extendKeyring(claimed.keyring, statement, context.clock.now());
        const signed = headOf(context, keyring, claimed.epoch);
        await storeStatement(context, tx, { org: claimed.org, before: claimed.keyring, keyring, statement, signed });
        next = { keyring, statement, ...signed };
      };
      const sign = (body: KeyringChange): Promise<void> => {
        const statement = nextStatement(claimed.keyring, body, context.clock.now());
        return append(signStatement('keyring', statement, [context.keys.enrolment]));
      };
      return change({ tx, append, sign });
    });
    if (next !== undefined) {
      claimed.advance(next);
      context.recheckLinks();
      // What is released may rest on the word of a device that has left.
      context.endpoints.changed();
    }
    context.link.wake();
    return result;
  });
}

async function storeStatement(
  context: CustodianContext,
  tx: Tx,
  of: { org: OrgId; before: Keyring; keyring: Keyring; statement: Envelope; signed: ReturnType<typeof headOf> },
): Promise<void> {
  const { org, before, keyring, statement, signed } = of;
  const { seq, digest } = keyring.head;
  const { change } = readStatement('keyring', statement).claimed;
  await tx
    .insertInto('keyring_statement')
    .values({ org, seq, envelope: JSON.stringify(statement) })
    .execute();
  if (change.kind === 'remove' && isId('agent', change.subject))
    await tx
      .updateTable('agent')
      .set({ removed: true, locked: 'removed' })
      .where('agent', '=', change.subject)
      .execute();
  await context.record(tx, org, { type: 'keyring-changed', seq, digest, kind: change.kind });
  await tx
    .updateTable('organisation')
    .set({ keyring_seq: seq, head: JSON.stringify(signed.head), head_at: signed.headAt })
    .where('org', '=', org)
    .execute();
  for (const message of noticesOf(change, seq)) await enqueue(tx, org, message);
  await announceChangedRoles(tx, org, before, keyring);
  await announceChangedAdmissions(tx, org, { change, keyring, now: context.clock.now() });
  if (change.kind === 'remove-evidence-issuer') await announceLostEvidence(tx, org, before, keyring);
}

/** What the control plane has to hear of a change: whose frames and requests count, and whose no longer do. */
export function noticesOf(change: KeyringChange, keyringSeq: number): DurablePartyMessage[] {
  if (change.kind === 'add-device')
    return [{ name: 'member', body: { op: 'add', id: change.device, sign: change.sign, keyringSeq } }];
  if (change.kind === 'add-agent') {
    const { agent: id, sign, tier, site } = change;
    return [{ name: 'member', body: { op: 'add', id, sign, keyringSeq, tier, site } }];
  }
  if (change.kind !== 'remove') return [];
  const { subject } = change;
  if (isId('device', subject)) return [{ name: 'member', body: { op: 'remove', id: subject, keyringSeq } }];
  if (!isId('agent', subject)) return [];
  return [
    { name: 'lock', body: { agent: subject, reason: 'removed' } },
    { name: 'member', body: { op: 'remove', id: subject, keyringSeq } },
  ];
}
