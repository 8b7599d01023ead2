import { utf8, type AgentId } from '@ringfence/base';
import { openCheckpoint, parseVerifierKey, tileOfWords, type VerifierKey } from '@ringfence/ledger/tlog';
import { auditHead, auditTile } from '@ringfence/protocol/api';
import { auditAccusers, auditWitnessed, witnessWord, witnessWordAnswer } from '@ringfence/protocol/payload';
import { logSigner, logVerifierKey } from '@ringfence/store/audit-log';
import { sql } from 'kysely';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { memberRoute, type Route } from '../http/route.ts';
import { keepAccusation } from './accusations.ts';
import { newestAccusations, pageOfAccusers } from './list-accusations.ts';

/** This custodian's log, for those who check it, and what witnesses say. */
export function auditRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/audit',
      summary: 'This custodian’s audit log: its key and its newest checkpoint.',
      who: ['device', 'agent'],
      action: 'audit:read',
      answer: auditHead,
      handle: (_, __, { org }) => context.logs.served.shown(org),
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/audit/tiles/:level/:index/:width',
      summary: 'A tile of the log’s hashes, or at level `entries` a bundle of its entries (C2SP tlog-tiles).',
      who: ['device', 'agent'],
      action: 'audit:read',
      answer: auditTile,
      handle: async ({ parameters }, _, claimed) => {
        const tile = tileOfWords(parameters);
        const bytes = tile && (await context.logs.served.tile(claimed.org, tile));
        if (bytes === undefined) throw new CustodianError('not-found', 'the log has no such tile');
        return { data: Buffer.from(bytes).toString('base64') };
      },
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/audit/witnessed',
      summary: 'What this custodian has seen of the control plane’s log, and what witnesses accuse either log of.',
      who: ['device'],
      action: 'audit:read',
      answer: auditWitnessed,
      handle: (_, __, claimed) => witnessedBy(context, claimed),
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/audit/accusers',
      summary: 'Each witness with how much it found, its first and its newest; `after` an id goes on behind that.',
      who: ['device'],
      action: 'audit:read',
      answer: auditAccusers,
      handle: ({ query }, _, { org }) => pageOfAccusers(context.store, org, query['after'] ?? ''),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/audit/witnesses',
      summary: 'Keeps an agent’s cosignature on one of the two logs, or what it found on either log.',
      who: ['agent'],
      action: 'audit:witness',
      body: witnessWord,
      answer: witnessWordAnswer,
      handle: ({ body }, { id }, claimed) => takeWord(context, claimed, id, body),
    }),
  ];
}

async function witnessedBy(
  context: CustodianContext,
  { org }: ClaimedOrganisation,
): Promise<z.input<typeof auditWitnessed>> {
  const [held, cosigned, accusations] = await context.store.withOrg(
    org,
    async (tx) =>
      [
        await tx.selectFrom('audit_held').select(['origin', 'key', 'size']).executeTakeFirst(),
        await tx
          .selectFrom('audit_witness')
          .select(['origin', 'key', 'size', 'note as checkpoint'])
          .orderBy('witness')
          .execute(),
        await newestAccusations(tx),
      ] as const,
    { readOnly: true },
  );
  return { controlPlane: held ?? null, cosigned, accusations };
}

/** A cosignature counts when it is over a checkpoint that the log signed, by a key that carries the agent's id. */
async function takeWord(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  agent: AgentId,
  word: z.output<typeof witnessWord>,
): Promise<z.input<typeof witnessWordAnswer>> {
  const { org } = claimed;
  if (word.word === 'accuses') {
    await keepAccusation(context, org, agent, word.accusation);
    return { size: 0 };
  }
  const key = parseVerifierKey(word.key);
  const log =
    key?.type === 'cosignature' && key.name === agent ? await logOf(context, claimed, word.checkpoint) : undefined;
  const opened =
    log && openCheckpoint(utf8(word.checkpoint), { origin: log.name, logKeys: [log], witnesses: key ? [key] : [] });
  const cosigned = opened?.ok === true && opened.signed.verified.some((signature) => signature.key === key);
  if (log === undefined || !cosigned || opened.signed.checkpoint.size !== word.size)
    throw new CustodianError('bad-request', 'this is no cosignature of that agent on a checkpoint of a log known here');
  const values = { key: word.key, size: word.size, note: word.checkpoint };
  await context.store.withOrg(org, (tx) =>
    tx
      .insertInto('audit_witness')
      .values({ org, witness: agent, origin: log.name, ...values })
      .onConflict((conflict) =>
        conflict
          .columns(['org', 'witness', 'origin'])
          .doUpdateSet(values)
          .where(sql<boolean>`audit_witness.size <= ${word.size}`),
      )
      .execute(),
  );
  return { size: word.size };
}

/** The key of the log that a checkpoint says it is of: this custodian's own, or the control plane's as it was first seen. */
async function logOf(
  { logs, store }: CustodianContext,
  { org, epoch }: ClaimedOrganisation,
  checkpoint: string,
): Promise<VerifierKey | undefined> {
  const [origin = ''] = checkpoint.split('\n', 1);
  const own = logVerifierKey(logSigner(logs.identity, org, epoch));
  if (origin === own.name) return own;
  const held = await store.withOrg(
    org,
    (tx) => tx.selectFrom('audit_held').select('key').where('origin', '=', origin).executeTakeFirst(),
    { readOnly: true },
  );
  return held === undefined ? undefined : parseVerifierKey(held.key);
}
