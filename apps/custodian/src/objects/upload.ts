import type { OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { CustodianContext } from '../context.ts';
import { readFrames } from './object-framing.ts';
import type { IncomingObject } from './object-store.ts';

/** Objects of one upload that are made durable together. */
const AT_ONCE = 8;
const MOST_OBJECTS = 20_000;

/** Stores every object of a framed stream and answers with their digests, in order, once all are on disk. */
export async function storeObjects(
  context: CustodianContext,
  org: OrgId,
  stream: AsyncIterable<Uint8Array>,
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
      if (piece.kind === 'begin') current = await context.objects.receive();
      else if (piece.kind === 'bytes') await current?.write(piece.bytes);
      else if (current !== undefined) {
        pending.push(current.keep());
        current = undefined;
        if (pending.length >= AT_ONCE) await settle();
      }
      if (stored.length + pending.length > MOST_OBJECTS) break;
    }
    await settle();
  } catch (error) {
    await Promise.allSettled(pending);
    await current?.drop();
    throw error;
  }
  await rememberObjects(context, org, stored);
  return stored.map(({ digest }) => digest);
}

async function rememberObjects(
  context: CustodianContext,
  org: OrgId,
  stored: readonly { digest: Digest; size: number }[],
): Promise<void> {
  if (stored.length === 0) return;
  const stored_at = context.clock.now();
  const rows = [...new Map(stored.map((object) => [object.digest, { ...object, org, stored_at }])).values()];
  await context.store.withOrg(org, async (tx) => {
    for (let at = 0; at < rows.length; at += 1_000)
      await tx
        .insertInto('object')
        .values(rows.slice(at, at + 1_000))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
  });
}
