import type { EndpointId } from '@ringfence/base';
import { CustodianError } from '../custodian-error.ts';
import type { LeaseEnds } from '../jobs/attempt-end.ts';
import type { Tx } from '../store/open-store.ts';
import { ENDPOINT_NAME, ENDPOINT_SERVICE, TOKEN_NAME } from '../store/sealed-columns.ts';
import type { EndpointParts } from './endpoint-parts.ts';
import type { Endpoint, Revision, Slot, Token } from './endpoint-state.ts';

/** All endpoints that there are or that are still ending, with what of their revisions is not over. */
export async function loadEndpoints(context: EndpointParts, tx: Tx): Promise<Endpoint[]> {
  const [endpoints, revisions, slots, tokens] = [
    await tx.selectFrom('endpoint').selectAll().orderBy('made_at').execute(),
    await liveRevisions(tx),
    await slotRows(tx),
    await tx.selectFrom('endpoint_token').selectAll().orderBy('made_at').execute(),
  ];
  const slotsOf = Map.groupBy(slots, ({ endpoint, revision }) => `${endpoint}/${revision}`);
  const revisionsOf = Map.groupBy(revisions, ({ endpoint }) => endpoint);
  const tokensOf = Map.groupBy(tokens, ({ endpoint }) => endpoint);
  return endpoints.flatMap(({ endpoint, name_box, manual, removed }) => {
    const alive = (revisionsOf.get(endpoint) ?? []).map(
      ({ revision, state, service_box, sensitivity, made_at }): Revision => ({
        revision,
        state,
        service: context.columns.open(ENDPOINT_SERVICE, `${endpoint}/${revision}`, service_box),
        sensitivity,
        madeAt: made_at,
        slots: (slotsOf.get(`${endpoint}/${revision}`) ?? []).map((row) => slotOf(row, context.leaseEnds)),
      }),
    );
    if (removed && alive.length === 0) return [];
    const name = context.columns.open(ENDPOINT_NAME, endpoint, name_box);
    const held = (tokensOf.get(endpoint) ?? []).map(
      ({ digest, name_box: box, expires_at, limits, minted_by }): Token => ({
        digest,
        name: context.columns.open(TOKEN_NAME, digest, box),
        expires: expires_at,
        limits,
        mintedBy: minted_by,
      }),
    );
    return [{ endpoint, name, manual, removed, revisions: alive, tokens: held }];
  });
}

/** The endpoint called `name`, its row locked for a change. Throws CustodianError `not-found`. */
export async function lockEndpoint(context: EndpointParts, tx: Tx, name: string): Promise<EndpointId> {
  const row = await tx
    .selectFrom('endpoint')
    .select('endpoint')
    .where('name_index', '=', context.columns.index('endpoint', name))
    .where('removed', '=', false)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined)
    throw new CustodianError('not-found', 'there is no such endpoint', { next: 'see `ringfence endpoint ls`' });
  return row.endpoint;
}

/** One that is gone is still of interest while the control plane has not been told of each of its slots. */
function liveRevisions(tx: Tx) {
  return tx
    .selectFrom('endpoint_revision as revision')
    .selectAll()
    .where((is) =>
      is.or([
        is('revision.state', '!=', 'gone'),
        is.exists(
          is
            .selectFrom('endpoint_slot as slot')
            .select('slot.job')
            .whereRef('slot.endpoint', '=', 'revision.endpoint')
            .whereRef('slot.revision', '=', 'revision.revision')
            .where((was) => was.or([was('slot.told', 'is', null), was('slot.told', '!=', 'final')])),
        ),
      ]),
    )
    .orderBy('revision.revision')
    .execute();
}

type SlotRow = Awaited<ReturnType<typeof slotRows>>[number];

function slotRows(tx: Tx) {
  return tx
    .selectFrom('endpoint_slot as slot')
    .innerJoin('job', 'job.job', 'slot.job')
    .leftJoin('attempt', (join) =>
      join.onRef('attempt.job', '=', 'job.job').onRef('attempt.attempt', '=', 'job.attempt'),
    )
    .select([
      'slot.job',
      'slot.endpoint',
      'slot.revision',
      'slot.slot',
      'slot.wanted',
      'slot.told',
      'slot.attempt as said_of',
      'slot.state',
      'job.attempt',
      'job.agent',
      'job.closed',
      'attempt.granted_at',
      'attempt.stopped',
      'attempt.ends_by',
    ])
    .orderBy('slot.slot')
    .execute();
}

function slotOf(row: SlotRow, ends: LeaseEnds): Slot {
  const { job, slot, wanted, told, attempt, agent, closed, granted_at, stopped, ends_by } = row;
  return {
    job,
    slot,
    wanted,
    told,
    attempt,
    agent,
    running: granted_at !== null && ends.mayRun({ job, attempt, granted_at, stopped, ends_by }),
    said: row.said_of === attempt ? row.state : null,
    closed: closed !== null,
  };
}
