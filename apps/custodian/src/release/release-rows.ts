import { epochMs, isId, type ReleaseId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { readStatement } from '@ringfence/keyring';
import type { Source } from '@ringfence/policy/release';
import type { ReleaseRow, ReleaseRuleRow } from '@ringfence/protocol/payload';
import type { RuleScope } from '@ringfence/protocol/statements';
import { sql, type Selectable } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import type { ReleaseRequestTable } from '../store/release-tables.ts';
import { ARTIFACT_NAME, JOB_NAME, RELEASE_REQUEST } from '../store/sealed-columns.ts';
import { sourceOfDataset, sourcesOfJob } from './sources.ts';
import { wordEnvelope, type KeptWord } from './words.ts';

const MOST_SHOWN = 1_000;

/** A request with its words. Throws CustodianError `not-found`. */
export async function readRequest(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  request: ReleaseId,
): Promise<ReleaseRow> {
  const row = await tx.selectFrom('release_request').selectAll().where('request', '=', request).executeTakeFirst();
  if (row !== undefined) return shown(context, tx, claimed, row);
  throw new CustodianError('not-found', 'there is no such request', { next: 'see `ringfence release ls`' });
}

/** The newest requests first. */
export async function listRequests(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
): Promise<ReleaseRow[]> {
  const rows = await tx.selectFrom('release_request').selectAll().orderBy('at', 'desc').limit(MOST_SHOWN).execute();
  const requests = [];
  for (const row of rows) requests.push(await shown(context, tx, claimed, row));
  return requests;
}

/** Every rule, the newest first. */
export async function listRules(context: CustodianContext, tx: Tx): Promise<ReleaseRuleRow[]> {
  const rows = await tx
    .selectFrom('release_word')
    .selectAll()
    .where('kind', '=', 'rule')
    .orderBy('seq', 'desc')
    .limit(MOST_SHOWN)
    .execute();
  const rules = [];
  for (const row of rows) {
    const statement = wordEnvelope(context, row);
    const name = await nameOf(context, tx, readStatement('release-rule', statement).claimed.scope);
    rules.push({
      word: row.word,
      statement,
      ...(name === undefined ? {} : { name }),
      ended: row.end_box !== null,
      ...(await openingsBy(tx, [row.word])),
    });
  }
  return rules;
}

async function shown(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { request, device, at, request_box }: Selectable<ReleaseRequestTable>,
): Promise<ReleaseRow> {
  const asked = context.columns.open(RELEASE_REQUEST, request, request_box);
  const sources = await sourcesOf(context, tx, claimed, asked.objects);
  const kept = await tx.selectFrom('release_word').selectAll().where('request', '=', request).orderBy('seq').execute();
  const words = kept.map((row) => ownersWord(context, row));
  return {
    request,
    device,
    at: epochMs(at),
    ...asked,
    sources: await namedSources(context, tx, sources),
    words,
    state: stateOf(sources, words),
    ...(await openingsBy(
      tx,
      kept.map(({ word }) => word),
    )),
  };
}

/** The sources of everything that a request names, each once. */
export async function sourcesOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  objects: ReleaseRow['objects'],
): Promise<readonly Source[]> {
  const sources = new Map<string, Source>();
  for (const { of, job } of objects) {
    const own =
      job === null && 'artifact' in of
        ? [await sourceOfDataset(context, tx, claimed, of.artifact)]
        : await sourcesOfJob(context, tx, claimed, job ?? ('logs' in of ? of.logs : neverWithout()));
    for (const source of own) sources.set(source.id, source);
  }
  return [...sources.values()];
}

function neverWithout(): never {
  throw new Error('an object is a version or a log');
}

function ownersWord(context: CustodianContext, row: KeptWord): ReleaseRow['words'][number] {
  const { decision, notAfter } = readStatement('release', wordEnvelope(context, row)).claimed;
  const { device, word, at, end_box } = row;
  return { device, decision, word, at: epochMs(at), notAfter, ended: end_box !== null };
}

/** One refusal refuses; every source released releases. */
function stateOf(sources: readonly Source[], words: ReleaseRow['words']): ReleaseRow['state'] {
  const live = words.filter(({ ended }) => !ended);
  const by = (decision: 'released' | 'refused', { owners }: Source): boolean =>
    live.some((word) => word.decision === decision && owners.includes(word.device));
  if (sources.some((source) => by('refused', source))) return 'refused';
  if (sources.length > 0 && sources.every((source) => by('released', source))) return 'released';
  return words.some(({ ended }) => ended) ? 'ended' : 'open';
}

async function namedSources(
  context: CustodianContext,
  tx: Tx,
  sources: readonly Source[],
): Promise<ReleaseRow['sources']> {
  const rows = [];
  for (const { id, owners } of sources) {
    const name = await nameOf(context, tx, isId('job', id) ? { job: id } : { dataset: id });
    rows.push({ source: id, ...(name === undefined ? {} : { name }), owners: [...owners] });
  }
  return rows;
}

async function nameOf({ columns }: CustodianContext, tx: Tx, scope: RuleScope): Promise<string | undefined> {
  if ('job' in scope) {
    const row = await tx.selectFrom('job').select('name_box').where('job', '=', scope.job).executeTakeFirst();
    return row === undefined ? undefined : columns.open(JOB_NAME, scope.job, row.name_box);
  }
  const { dataset } = scope;
  const row = await tx.selectFrom('artifact').select('name_box').where('artifact', '=', dataset).executeTakeFirst();
  return row === undefined ? undefined : columns.open(ARTIFACT_NAME, dataset, row.name_box);
}

async function openingsBy(tx: Tx, words: readonly Digest[]): Promise<Pick<ReleaseRow, 'openings' | 'lastOpened'>> {
  const { openings, last } = await tx
    .selectFrom('opening')
    .select(({ fn }) => [fn.countAll<string>().as('openings'), fn.max<number | null>('last_at').as('last')])
    .where('decision', '=', 'opened')
    .where(sql<boolean>`words ?| ${[...words]}::text[]`)
    .executeTakeFirstOrThrow();
  return { openings: Number(openings), lastOpened: last === null ? null : epochMs(Number(last)) };
}
