import { epochMs, type AgentId, type EpochMs, type OrgId } from '@ringfence/base';
import type { Keyring } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';
import type { CustodianContext } from '../context.ts';
import { announceEvidence } from '../evidence/evidence-notice.ts';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';

/** Changes after which a machine's admission may be another one. */
const CHANGING: ReadonlySet<KeyringChange['kind']> = new Set([
  'add-agent',
  'renew-admission',
  'remove-admitter',
  'rotate-root',
]);

/** Tells the control plane of the machines whose admission is another one after `change`. */
export async function announceChangedAdmissions(
  tx: Tx,
  org: OrgId,
  { change, keyring, now }: { readonly change: KeyringChange; readonly keyring: Keyring; readonly now: EpochMs },
): Promise<void> {
  if (!CHANGING.has(change.kind)) return;
  const one = change.kind === 'add-agent' || change.kind === 'renew-admission' ? change.agent : undefined;
  await announceAdmissions(tx, org, { keyring, now, agent: one });
}

/** Tells the control plane once what earlier releases did not tell it: until when machines are admitted, and whose sites documents are about. */
export async function announceUntold({ store, clock }: CustodianContext, org: OrgId, keyring: Keyring): Promise<void> {
  await store.withOrg(org, async (tx) => {
    await announceAdmissions(tx, org, { keyring, now: clock.now() });
    const untold = await tx
      .selectFrom('evidence')
      .select('digest')
      .where('provider_told', '=', false)
      .executeTakeFirst();
    if (untold !== undefined) await announceEvidence(tx, org, keyring);
  });
}

async function announceAdmissions(
  tx: Tx,
  org: OrgId,
  { keyring, now, agent }: { readonly keyring: Keyring; readonly now: EpochMs; readonly agent?: AgentId | undefined },
): Promise<void> {
  const rows = await tx
    .selectFrom('agent')
    .select(['agent', 'admission_told'])
    .where('removed', '=', false)
    .$if(agent !== undefined, (rows) => rows.where('agent', '=', agent ?? null))
    .execute();
  for (const { agent: id, admission_told: told } of rows) {
    const entry = keyring.agent(id);
    if (entry?.admitted === undefined) continue;
    const { provider, until: end } = entry.admitted;
    const until = end > now ? end : epochMs(0);
    if (until === told) continue;
    const jurisdictions = [...entry.jurisdictions];
    await enqueue(tx, org, { name: 'admission', body: { agent: id, provider, jurisdictions, until } });
    await tx.updateTable('agent').set({ admission_told: until }).where('agent', '=', id).execute();
  }
}
