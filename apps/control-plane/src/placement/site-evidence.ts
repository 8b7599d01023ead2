import type { OrgId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { Selectable } from 'kysely';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { sendStop } from '../jobs/send-stop.ts';
import { storedStatement } from '../jobs/verified-statement.ts';
import type { Tx } from '../store/open-store.ts';
import type { SiteEvidenceTable } from '../store/tables.ts';
import { raiseInventory, readOffersAgain } from './inventory.ts';
import { OWN } from './own-sites.ts';

/** How long a job may take to end at a site whose evidence was taken back. */
const STOP_WITHIN_MS = 120_000;

/**
 * Takes a custodian's word on evidence about sites: their offers are read again with it. Attempts that a document which counts no more made
 * eligible are told to stop, and follow elsewhere where the job may be tried again. Nothing starts by this word: custodian and agent judge the documents.
 */
export async function takeEvidence(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  body: MessageBody<'evidence'>,
): Promise<void> {
  const sites = body.op === 'add' ? await add(tx, org, body) : await remove(tx, body.evidence);
  if (sites.length === 0) return;
  await context.record(tx, org, { type: 'evidence-noted', evidence: body.evidence, counts: body.op === 'add' });
  await readOffersAgain(tx, { sites });
  if (body.op === 'remove') await stopThoseThatReliedOn(context, tx, org, body.evidence);
  await raiseInventory(tx, org);
  await context.changes.wake(tx, 'place', org);
}

/** Strikes out a document whose end has come: only another word of the custodian makes it count again. What runs was placed to end before it. */
export async function endEvidence(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  evidence: MessageBody<'evidence'>['evidence'],
): Promise<void> {
  const sites = await remove(tx, evidence);
  if (sites.length === 0) return;
  await context.record(tx, org, { type: 'evidence-ended', evidence });
  await readOffersAgain(tx, { sites });
}

type Added = Extract<MessageBody<'evidence'>, { op: 'add' }>;

async function add(
  tx: Tx,
  org: OrgId,
  { evidence, standard, grade, provider, sites, from, until }: Added,
): Promise<string[]> {
  const about: Selectable<SiteEvidenceTable>['provider'] = provider === null ? OWN : (provider ?? null);
  const claim = { org, evidence, standard, grade, provider: about, from_at: from, until_at: until };
  const added = await tx
    .insertInto('site_evidence')
    .values([...new Set(sites)].map((site) => ({ ...claim, site })))
    // A custodian that did not say whose sites they are may say so later.
    .onConflict((conflict) =>
      conflict
        .columns(['org', 'site', 'evidence'])
        .doUpdateSet((column) => ({ provider: column.ref('excluded.provider') }))
        .where('site_evidence.provider', 'is', null)
        .where('excluded.provider', 'is not', null),
    )
    .returning('site')
    .execute();
  return added.map(({ site }) => site);
}

async function remove(tx: Tx, evidence: Added['evidence']): Promise<string[]> {
  const gone = await tx.deleteFrom('site_evidence').where('evidence', '=', evidence).returning('site').execute();
  return gone.map(({ site }) => site);
}

async function stopThoseThatReliedOn(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  evidence: Added['evidence'],
): Promise<void> {
  const live = await tx
    .selectFrom('attempt')
    .select(['job', 'receipt'])
    .where('live', '=', true)
    .where('stop_sent', '=', false)
    .execute();
  for (const { job, receipt } of live)
    if (reliesOn(receipt, evidence)) await sendStop(context, tx, { org, job, graceMs: STOP_WITHIN_MS }, 'evidence');
}

/** By the receipt that this control plane signed itself. */
function reliesOn(receipt: Envelope, evidence: string): boolean {
  return storedStatement('receipt', receipt).evidence?.some(({ digest }) => digest === evidence) === true;
}
