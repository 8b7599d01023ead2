import { canonicalJson, newId, type DeviceId, type EndpointId } from '@ringfence/base';
import { readStatement } from '@ringfence/keyring';
import type { Sensitivity } from '@ringfence/protocol';
import type { endpointRequest, ServiceSpec } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { openWorkload } from '../jobs/open-workload.ts';
import type { Tx } from '../store/open-store.ts';
import { ENDPOINT_NAME, ENDPOINT_SERVICE } from '../store/sealed-columns.ts';

type Request = z.output<typeof endpointRequest>;

/**
 * Makes an endpoint, or the next revision of the one with this name, of jobs that the same device deposited; what they say is asked of their
 * workloads, not of the request. Said again with the same jobs, it changes nothing. Throws CustodianError `conflict`, `not-found`, `bad-statement`.
 */
export async function registerEndpoint(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { request, device }: { request: Request; device: DeviceId },
): Promise<void> {
  if (new Set(request.jobs).size !== request.jobs.length || request.jobs.length < request.service.replicas.max)
    throw new CustodianError('bad-request', 'an endpoint needs a job of its own for each replica');
  await context.store.withOrg(claimed.org, async (tx) => {
    const sensitivity = await checkJobs(context, tx, claimed, { request, device });
    const endpoint = await endpointCalled(context, tx, claimed, request.name);
    if (await isSame(tx, endpoint, request)) return;
    const revision = await insertRevision(context, tx, claimed, { endpoint, sensitivity, service: request.service });
    for (const [slot, job] of request.jobs.entries())
      await tx
        .insertInto('endpoint_slot')
        .values({
          job,
          org: claimed.org,
          endpoint,
          revision,
          slot,
          wanted: false,
          told: null,
          attempt: null,
          state: null,
        })
        .execute();
    await context.record(tx, claimed.org, { type: 'endpoint-revised', endpoint, revision, device });
    context.fault('endpoint-before-commit');
  });
  context.fault('endpoint-after-commit');
  context.endpoints.changed();
}

/** Each job is a replica of exactly this service, and this device's; their label is one. */
async function checkJobs(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  { request, device }: { request: Request; device: DeviceId },
): Promise<Sensitivity> {
  const rows = await tx
    .selectFrom('job')
    .select(['job', 'device', 'label_envelope', 'workload', 'closed'])
    .where('job', 'in', request.jobs)
    .execute();
  if (rows.length !== request.jobs.length)
    throw new CustodianError('not-found', 'a job of the endpoint was not deposited', { next: 'launch again' });
  const labels = new Set<Sensitivity>();
  for (const row of rows) {
    const workload = await openWorkload(context, org, row.job, row.workload);
    const fits =
      row.device === device &&
      row.closed === null &&
      workload?.name === request.name &&
      canonicalJson(workload.service ?? null) === canonicalJson(request.service);
    if (!fits)
      throw new CustodianError('bad-statement', 'a job of the endpoint is not a replica of this service', {
        next: 'launch again with a current client',
      });
    labels.add(readStatement('label', row.label_envelope).claimed.sensitivity);
  }
  const [sensitivity] = labels;
  if (sensitivity === undefined || labels.size > 1)
    throw new CustodianError('bad-statement', 'the jobs of the endpoint have different labels', {
      next: 'launch again',
    });
  return sensitivity;
}

async function endpointCalled(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  name: string,
): Promise<EndpointId> {
  const name_index = context.columns.index('endpoint', name);
  const endpoint = newId('endpoint', context.rng);
  await tx
    .insertInto('endpoint')
    .values({
      endpoint,
      org,
      name_index,
      name_box: context.columns.seal(ENDPOINT_NAME, endpoint, name),
      made_at: context.clock.now(),
      manual: null,
    })
    .onConflict((conflict) => conflict.columns(['org', 'name_index']).doNothing())
    .execute();
  const row = await tx
    .selectFrom('endpoint')
    .select('endpoint')
    .where('name_index', '=', name_index)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  return row.endpoint;
}

/** Whether these jobs are a revision of this endpoint already. Throws CustodianError `conflict` when they are something else's. */
async function isSame(tx: Tx, endpoint: EndpointId, { jobs }: Request): Promise<boolean> {
  const taken = await tx
    .selectFrom('endpoint_slot')
    .select(['job', 'endpoint', 'revision'])
    .where('job', 'in', jobs)
    .execute();
  if (taken.length === 0) return false;
  const places = new Set(taken.map((slot) => `${slot.endpoint}/${slot.revision}`));
  if (taken.length === jobs.length && places.size === 1 && taken[0]?.endpoint === endpoint) return true;
  throw new CustodianError('conflict', 'a job is a replica of another endpoint already', { next: 'launch again' });
}

/** A revision that was still coming is given up for the newer one. */
async function insertRevision(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  { endpoint, service, sensitivity }: { endpoint: EndpointId; service: ServiceSpec; sensitivity: Sensitivity },
): Promise<number> {
  const before = await tx
    .selectFrom('endpoint_revision')
    .select(['revision', 'state'])
    .where('endpoint', '=', endpoint)
    .orderBy('revision', 'desc')
    .execute();
  await tx
    .updateTable('endpoint_revision')
    .set({ state: 'going' })
    .where('endpoint', '=', endpoint)
    .where('state', '=', 'coming')
    .execute();
  const revision = (before[0]?.revision ?? 0) + 1;
  await tx
    .insertInto('endpoint_revision')
    .values({
      endpoint,
      revision,
      org,
      state: 'coming',
      service_box: context.columns.seal(ENDPOINT_SERVICE, `${endpoint}/${revision}`, service),
      sensitivity,
      made_at: context.clock.now(),
    })
    .execute();
  return revision;
}
