import type { DeviceId } from '@ringfence/base';
import { statementDigest, type Digest, type Envelope } from '@ringfence/crypto/sign';
import { readStatement } from '@ringfence/keyring';
import type { RuleScope } from '@ringfence/protocol/statements';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { readRequest } from './release-rows.ts';
import { sourceOfDataset, sourcesOfJob } from './sources.ts';
import { keepWord, markEnded, openWord, wordEnvelope, type KeptWord } from './words.ts';

/** Keeps an owner's standing rule; the same again changes nothing. Throws CustodianError `bad-statement`, `not-found`, `not-authorised`. */
export async function addRule(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  envelope: Envelope,
  device: DeviceId,
): Promise<void> {
  const { org } = claimed;
  const { body, digest } = openWord(context, claimed, { name: 'release-rule', envelope, device });
  if (body.notAfter <= context.clock.now())
    throw new CustodianError('bad-statement', 'the rule has ended already', { next: 'give it a later end' });
  await context.store.withOrg(org, async (tx) => {
    if (!(await ownersIn(context, tx, claimed, body.scope)).includes(device)) throw notOwner();
    const scopes = ['dataset' in body.scope ? body.scope.dataset : body.scope.job];
    const added = { kind: 'rule', request: null, device, digest, envelope, scopes } as const;
    if (await keepWord(context, tx, org, added))
      await context.record(tx, org, { type: 'release-rule-added', word: digest, device });
    context.fault('release-before-commit');
  });
  context.fault('release-after-commit');
  // Gateways hear of it at once.
  context.endpoints.changed();
}

/** Ends a release or a rule: nothing more is opened by it. Throws CustodianError `bad-statement`, `not-found`, `not-authorised`. */
export async function endWord(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  envelope: Envelope,
  device: DeviceId,
): Promise<void> {
  const { org } = claimed;
  const { body } = openWord(context, claimed, { name: 'release-end', envelope, device });
  await context.store.withOrg(org, async (tx) => {
    const row = await wordNamed(tx, body.word);
    if (row.device !== device && !(await ownersOfWord(context, tx, claimed, row)).includes(device)) throw notOwner();
    const end = statementDigest(envelope);
    if (await markEnded(context, tx, { word: body.word, envelope }))
      await context.record(tx, org, { type: 'release-ended', word: body.word, end, device });
    context.fault('release-before-commit');
  });
  context.fault('release-after-commit');
  context.endpoints.changed();
}

async function wordNamed(tx: Tx, word: Digest): Promise<KeptWord> {
  const row = await tx.selectFrom('release_word').selectAll().where('word', '=', word).executeTakeFirst();
  if (row !== undefined) return row;
  throw new CustodianError('not-found', 'there is no such release or rule', { next: 'see `ringfence release ls`' });
}

async function ownersOfWord(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  row: KeptWord,
): Promise<readonly DeviceId[]> {
  if (row.request !== null)
    return (await readRequest(context, tx, claimed, row.request)).sources.flatMap(({ owners }) => owners);
  return ownersIn(context, tx, claimed, readStatement('release-rule', wordEnvelope(context, row)).claimed.scope);
}

/** Who owns data that a rule speaks of. Throws CustodianError `not-found` for a dataset or job that there is not. */
async function ownersIn(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  scope: RuleScope,
): Promise<readonly DeviceId[]> {
  if ('dataset' in scope) {
    const row = await tx.selectFrom('artifact').select('kind').where('artifact', '=', scope.dataset).executeTakeFirst();
    if (row?.kind !== 'dataset')
      throw new CustodianError('not-found', 'there is no such dataset', {
        next: 'see `ringfence dataset ls`; for a result name the data that it was made of, or its job',
      });
    return (await sourceOfDataset(context, tx, claimed, scope.dataset)).owners;
  }
  const row = await tx.selectFrom('job').select('job').where('job', '=', scope.job).executeTakeFirst();
  if (row === undefined) throw new CustodianError('not-found', 'there is no such job', { next: 'see `ringfence ps`' });
  return (await sourcesOfJob(context, tx, claimed, scope.job)).flatMap(({ owners }) => owners);
}

function notOwner(): CustodianError {
  return new CustodianError('not-authorised', 'this device does not own the data', {
    next: '`ringfence release ls` says who does',
  });
}
