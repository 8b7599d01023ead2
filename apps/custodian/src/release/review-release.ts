import type { DeviceId, ReleaseId } from '@ringfence/base';
import type { ReleaseRow, reviewAnswer } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import { findVersionOf } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { readAttemptLogs } from '../jobs/attempt-log.ts';
import type { Tx } from '../store/open-store.ts';
import { judgeThing, openThing, writeDown, type GatedThing } from './open-gate.ts';
import { readRequest } from './release-rows.ts';
import { givenData } from './sources.ts';
import { sealedLogThing, versionThing } from './things.ts';

type Answer = z.input<typeof reviewAnswer>;
type Preview = NonNullable<Answer['preview']>[number];

/**
 * A request with what an owner needs to decide it. With `preview` the keys of its objects, for an owner of every source, or of all those that
 * other owners have not released to this device yet: a preview shows their data, too.
 */
export async function reviewRelease(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { request, device, preview }: { request: ReleaseId; device: DeviceId; preview: boolean },
): Promise<Answer> {
  return context.store.withOrg(claimed.org, async (tx) => {
    const row = await readRequest(context, tx, claimed, request);
    const inputs = await inputsOf(context, tx, claimed, row);
    const packs = preview ? await previewOf(context, tx, claimed, { row, device }) : undefined;
    return { request: row, project: claimed.project, inputs, ...(packs === undefined ? {} : { preview: packs }) };
  });
}

async function inputsOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { objects }: ReleaseRow,
): Promise<Answer['inputs']> {
  const jobs = new Set(objects.flatMap(({ job }) => (job === null ? [] : [job])));
  const inputs: Answer['inputs'] = [];
  for (const made of jobs)
    for (const { job, artifact, version } of await givenData(context, tx, made)) {
      const found = await findVersionOf(context, tx, claimed, { artifact, version });
      if (found !== undefined) inputs.push({ job, name: found.name, version, sensitivity: found.sensitivity });
    }
  return inputs;
}

/** What is an owner's alone. */
const OWN = { allow: true, words: [] } as const;

async function previewOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { row, device }: { row: ReleaseRow; device: DeviceId },
): Promise<Preview[] | undefined> {
  if (!row.sources.some(({ owners }) => owners.includes(device))) return undefined;
  const shown: { readonly thing: GatedThing; readonly pack: Preview }[] = [];
  for (const { of } of row.objects) {
    const found = await packOf(context, tx, claimed, of);
    if (found === undefined) return undefined;
    const others = found.thing.sources.filter(({ owners }) => !owners.includes(device));
    const thing = { ...found.thing, named: 'review', sources: others } as const;
    // All are asked before one is opened: what is not shown spends nothing of the others' rules.
    if (others.length > 0 && !(await judgeThing(context, tx, claimed, { thing, device })).decision.allow)
      return undefined;
    shown.push({ thing, pack: found.pack });
  }
  for (const { thing } of shown)
    if (thing.sources.length === 0) await writeDown(context, tx, claimed, { thing, device, decision: OWN });
    else if (!(await openThing(context, tx, claimed, { thing, device })).allow) return undefined;
  return shown.map(({ pack }) => pack);
}

async function packOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  of: ReleaseRow['objects'][number]['of'],
): Promise<{ readonly thing: GatedThing; readonly pack: Preview } | undefined> {
  if ('logs' in of) {
    const [log] = await readAttemptLogs(context, tx, claimed, { job: of.logs, attempt: of.attempt });
    if (log === undefined) return undefined;
    const { manifest } = log.pack;
    const thing = await sealedLogThing(context, tx, claimed, {
      job: of.logs,
      attempt: of.attempt,
      manifest,
      bytes: log.bytes,
    });
    return thing === undefined ? undefined : { thing, pack: log.pack };
  }
  const found = await findVersionOf(context, tx, claimed, { ...of, unexpired: true });
  const thing = found === undefined ? undefined : await versionThing(context, tx, claimed, found);
  return found?.pack === undefined || thing === undefined ? undefined : { thing, pack: found.pack };
}
