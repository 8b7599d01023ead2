import type { DeviceId, EpochMs, SiteId } from '@ringfence/base';
import { statementDigest, type Digest, type Envelope } from '@ringfence/crypto/sign';
import { readEvidence, readRevocation, readStatement, type EvidenceFile } from '@ringfence/keyring';
import type { EvidenceRow } from '@ringfence/protocol/payload';
import { MOST_EVIDENCE } from '@ringfence/protocol/statements';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';
import { countsNoMoreNotice, countsNotice } from './evidence-notice.ts';

/** Keeps a document that an issuer of the keyring signed; one that is here already stays as it is, and is told to the control plane again. Throws CustodianError `bad-statement`, `too-much`. */
export async function addEvidence(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  document: Envelope,
  device: DeviceId,
): Promise<EvidenceRow[]> {
  const read = readEvidence(document, [], claimed.keyring);
  if ('fault' in read)
    throw new CustodianError('bad-statement', `the evidence does not count: ${read.fault}`, {
      next: 'its issuer has to be pinned for its standard (`ringfence keyring add-issuer`); a key that is pinned for other standards cannot be pinned again: the issuer makes a new one',
    });
  const { digest } = read.claim;
  const kept = await context.store.withOrg(claimed.org, async (tx) => {
    if ((await lives(tx, { besides: digest, now: context.clock.now() })) >= MOST_EVIDENCE)
      throw new CustodianError('too-much', `an organisation keeps at most ${MOST_EVIDENCE} documents of evidence`);
    const added = await tx
      .insertInto('evidence')
      .values({
        org: claimed.org,
        digest,
        document: JSON.stringify(document),
        revocation: null,
        at: context.clock.now(),
        provider_told: true,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('digest')
      .executeTakeFirst();
    if (added !== undefined)
      await context.record(tx, claimed.org, { type: 'evidence-added', evidence: digest, device });
    // Also of one that is here already: a control plane whose clock was ahead for a while has struck it out.
    const { revocation } = added === undefined ? await keptDocument(tx, digest) : { revocation: null };
    if (revocation === null) await enqueue(tx, claimed.org, countsNotice(read.claim));
    return listEvidence(tx);
  });
  context.link.wake();
  return kept;
}

function keptDocument(tx: Tx, digest: Digest): Promise<{ readonly revocation: Envelope | null }> {
  return tx.selectFrom('evidence').select('revocation').where('digest', '=', digest).executeTakeFirstOrThrow();
}

/** How many other documents may still count some day: neither revoked nor ended. What is over stays, and takes nobody's place. */
async function lives(tx: Tx, { besides, now }: { besides: Digest; now: EpochMs }): Promise<number> {
  const rows = await tx
    .selectFrom('evidence')
    .select(['digest', 'document'])
    .where('revocation', 'is', null)
    .where('digest', '<>', besides)
    .execute();
  // Short of the limit nobody has to look into them.
  if (rows.length < MOST_EVIDENCE) return rows.length;
  return rows.filter(({ document }) => readStatement('evidence', document).claimed.predicate.until > now).length;
}

/** Keeps the issuer's word that a document counts no more. Throws CustodianError `not-found`, `bad-statement`. */
export async function revokeEvidence(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { digest, revocation, device }: { digest: string; revocation: Envelope; device: DeviceId },
): Promise<EvidenceRow[]> {
  const kept = await context.store.withOrg(claimed.org, async (tx) => {
    const row = await tx
      .selectFrom('evidence')
      .select(['digest', 'document', 'revocation'])
      .where('digest', '=', digest as Digest)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined)
      throw new CustodianError('not-found', 'there is no such evidence', {
        next: 'see `ringfence provider evidence ls`',
      });
    const read = readEvidence(row.document, [], claimed.keyring);
    if ('fault' in read || readRevocation(revocation, row.digest, read.claim.issuer) === undefined)
      throw new CustodianError('bad-statement', 'the revocation is not about this evidence, or not by its issuer');
    if (row.revocation !== null) return listEvidence(tx);
    await tx
      .updateTable('evidence')
      .set({ revocation: JSON.stringify(revocation) })
      .where('digest', '=', row.digest)
      .execute();
    const event = {
      type: 'evidence-revoked',
      evidence: row.digest,
      revocation: statementDigest(revocation),
      device,
    } as const;
    await context.record(tx, claimed.org, event);
    await enqueue(tx, claimed.org, countsNoMoreNotice(row.digest));
    return listEvidence(tx);
  });
  context.link.wake();
  return kept;
}

/** All documents, the oldest first. */
export async function listEvidence(tx: Tx): Promise<EvidenceRow[]> {
  const rows = await tx
    .selectFrom('evidence')
    .select(['document', 'revocation', 'at'])
    .orderBy('at')
    .orderBy('digest')
    .execute();
  return rows as EvidenceRow[];
}

/** The documents that name `site`, the oldest first; none without one. */
export async function listEvidenceOf(tx: Tx, site: SiteId | undefined): Promise<EvidenceRow[]> {
  const rows = site === undefined ? [] : await listEvidence(tx);
  return rows.filter(
    ({ document }) => site !== undefined && readStatement('evidence', document).claimed.predicate.sites.includes(site),
  );
}

/** All documents and revocations, for whoever judges a start. */
export async function evidenceFile(tx: Tx): Promise<EvidenceFile> {
  const rows = await listEvidence(tx);
  return {
    documents: rows.map(({ document }) => document),
    revocations: rows.flatMap(({ revocation }) => revocation ?? []),
  };
}
