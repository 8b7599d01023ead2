import { epochMs, type ReleaseId } from '@ringfence/base';
import { signStatement } from '@ringfence/keyring';
import type { ReleaseRow } from '@ringfence/protocol/payload';
import type { ReleaseStatement } from '@ringfence/protocol/statements';
import type { CommandContext } from '../command.ts';
import type { Session } from '../session.ts';

/** Signs this device's decision on a request with exactly what it asks for, and hands it in. */
export async function signDecision(
  { clock }: CommandContext,
  { custodian, profile, keys }: Session,
  { request, decision, validMs }: { request: ReleaseId; decision: 'approve' | 'refuse'; validMs: number | undefined },
): Promise<ReleaseRow> {
  const { request: asked } = await custodian.release.review(request, { preview: false });
  const at = clock.now();
  const body: ReleaseStatement = {
    v: 1,
    org: profile.org,
    device: profile.device,
    request,
    decision: decision === 'approve' ? 'released' : 'refused',
    digests: asked.objects.map(({ digest }) => digest),
    purpose: asked.purpose,
    recipients: asked.recipients,
    at,
    notAfter: epochMs(at + Math.min(asked.validMs, validMs ?? asked.validMs)),
  };
  return custodian.release.decide(request, decision, signStatement('release', body, [keys.sign]));
}
