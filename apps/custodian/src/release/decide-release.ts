import { canonicalJson, type DeviceId, type ReleaseId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { CLOCK_SKEW_MS, type Verified } from '@ringfence/keyring';
import type { ReleaseRow } from '@ringfence/protocol/payload';
import type { ReleaseStatement } from '@ringfence/protocol/statements';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { readRequest } from './release-rows.ts';
import { keepWord, openWord } from './words.ts';

/** An owner's decision as it was handed in. */
interface Decided {
  readonly request: ReleaseId;
  readonly envelope: Envelope;
  readonly device: DeviceId;
  /** What the route is for. */
  readonly decision: ReleaseStatement['decision'];
}

/**
 * Keeps an owner's signed decision on a request: each owner decides once, and the same statement again changes nothing. Throws
 * CustodianError `not-found`, `bad-statement`, `not-authorised`, `conflict`.
 */
export async function decideRelease(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  decided: Decided,
): Promise<ReleaseRow> {
  const { request, envelope, device } = decided;
  const { org } = claimed;
  const word = openWord(context, claimed, { name: 'release', envelope, device });
  const row = await context.store.withOrg(org, async (tx) => {
    const asked = await readRequest(context, tx, claimed, request);
    requireSame(context, asked, word, decided);
    requireOwner(asked, device);
    await keepDecision(context, tx, claimed, { asked, word });
    context.fault('release-before-commit');
    return readRequest(context, tx, claimed, request);
  });
  context.fault('release-after-commit');
  return row;
}

async function keepDecision(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  { asked, word }: { asked: ReleaseRow; word: Verified<'release'> },
): Promise<void> {
  const { digest, envelope, body } = word;
  const { request } = asked;
  const { device, decision } = body;
  const added = { kind: 'release', request, device, digest, envelope, scopes: body.digests } as const;
  if (await keepWord(context, tx, org, added))
    return context.record(tx, org, { type: 'release-decided', request, decision, word: digest, device });
  const known = await tx.selectFrom('release_word').select('word').where('word', '=', digest).executeTakeFirst();
  if (known !== undefined) return;
  throw new CustodianError('conflict', 'this owner has decided the request before', {
    next: 'see `ringfence release ls`; who wants it decided otherwise asks anew',
  });
}

/** The owner signed what was asked for, and for no longer. */
function requireSame(
  { clock }: CustodianContext,
  asked: ReleaseRow,
  { body }: Verified<'release'>,
  { decision }: Decided,
): void {
  const { request, purpose, recipients, objects, validMs } = asked;
  const same =
    body.request === request &&
    body.decision === decision &&
    body.purpose === purpose &&
    canonicalJson(body.recipients) === canonicalJson(recipients) &&
    canonicalJson(body.digests.toSorted()) === canonicalJson(objects.map(({ digest }) => digest).toSorted());
  if (!same)
    throw new CustodianError('bad-statement', 'the statement is about something else than the request', {
      next: 'look at it again: `ringfence release review`',
    });
  const now = clock.now();
  if (body.notAfter <= now || body.notAfter > now + validMs + CLOCK_SKEW_MS)
    throw new CustodianError('bad-statement', 'the release would have ended, or last longer than was asked for', {
      next: 'leave --valid out, or make it shorter',
    });
}

function requireOwner({ sources }: ReleaseRow, device: DeviceId): void {
  if (sources.some(({ owners }) => owners.includes(device))) return;
  throw new CustodianError('not-authorised', 'this device owns none of the data that it was made of', {
    next: 'its owners decide: `ringfence release review` names them',
  });
}
