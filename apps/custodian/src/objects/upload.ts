import { errorFields, type AgentId, type OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { sql } from 'kysely';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { readFrames } from './object-framing.ts';
import type { IncomingObject } from './object-store.ts';

/** Objects of one upload that are made durable together. */
const AT_ONCE = 8;
const MOST_OBJECTS = 20_000;

/** Who stores objects. */
interface Sender {
  readonly org: OrgId;
  /** Null for a device. */
  readonly agent: AgentId | null;
}

/**
 * Stores every object of a framed stream and answers with their digests, in order, once all are on disk. The first who brings an object
 * is noted. `take` is told the length of each before its bytes, and throws where the sender may bring no more.
 */
export async function storeObjects(
  context: CustodianContext,
  sender: Sender,
  stream: AsyncIterable<Uint8Array>,
  take: (length: number) => void = () => {},
): Promise<readonly Digest[]> {
  const stored: { digest: Digest; size: number }[] = [];
  let pending: Promise<{ digest: Digest; size: number }>[] = [];
  let current: IncomingObject | undefined;
  const settle = async (): Promise<void> => {
    stored.push(...(await Promise.all(pending)));
    pending = [];
  };
  try {
    for await (const piece of readFrames(stream)) {
      if (piece.kind === 'begin') {
        take(piece.length);
        current = await receive(context, piece.length);
      } else if (piece.kind === 'bytes') await current?.write(piece.bytes);
      else if (current !== undefined) {
        pending.push(current.keep());
        current = undefined;
        if (pending.length >= AT_ONCE) await settle();
      }
      if (stored.length + pending.length > MOST_OBJECTS)
        throw new CustodianError('too-much', `one upload brings at most ${MOST_OBJECTS} objects`, {
          next: 'send the others in another one',
        });
    }
    await settle();
  } catch (error) {
    const settled = await Promise.allSettled(pending);
    await current?.drop();
    // Their files are there: without rows nothing would ever remove them.
    const kept = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    await rememberObjects(context, sender, [...stored, ...kept]).catch((failure: unknown) =>
      context.log.error('upload.not-remembered', { count: stored.length + kept.length, ...errorFields(failure) }),
    );
    throw isNoSpace(error) ? diskFull(error) : error;
  }
  await rememberObjects(context, sender, stored);
  return stored.map(({ digest }) => digest);
}

/** What is here, grants, commits and the ledger keep a reserve: an upload that would eat into it is refused before its bytes. */
async function receive({ disk, objects }: CustodianContext, length: number): Promise<IncomingObject> {
  if (!disk.hasRoomFor(length)) throw diskFull();
  return objects.receive();
}

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

function diskFull(cause?: unknown): CustodianError {
  return new CustodianError('disk-full', 'the custodian’s disk is nearly full: it takes no uploads', {
    cause,
    next: 'remove versions that nobody needs with `ringfence artifact prune`, or give it a larger disk',
  });
}

async function rememberObjects(
  context: CustodianContext,
  { org, agent: uploader }: Sender,
  stored: readonly { digest: Digest; size: number }[],
): Promise<void> {
  if (stored.length === 0) return;
  const stored_at = context.clock.now();
  const rows = [...new Map(stored.map((object) => [object.digest, { ...object, org, stored_at, uploader }])).values()];
  const digests = rows.map(({ digest }) => digest);
  await context.store.withOrg(org, async (tx) => {
    await tx
      .deleteFrom('doomed_object')
      .where('digest', '=', sql<Digest>`any(${digests})`)
      .execute();
    // A file that was being removed while the same bytes came again.
    if (!digests.every((digest) => context.objects.has(digest)))
      throw new CustodianError('unavailable', 'an object was removed while it was stored', { next: 'send it again' });
    for (let at = 0; at < rows.length; at += 1_000)
      await tx
        .insertInto('object')
        .values(rows.slice(at, at + 1_000))
        .onConflict((conflict) => conflict.columns(['org', 'digest']).doUpdateSet({ stored_at }))
        .execute();
  });
}
