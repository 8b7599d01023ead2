import type { DeviceId, EpochMs, JobId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import type { Decision } from '@ringfence/policy';
import { CLOCK_SKEW_MS, type Keyring } from '../chain/keyring.ts';
import type { Verified } from '../statement.ts';
import { tryRead, tryVerify } from './open.ts';

/** Why an officer's fence does not count. */
export type FenceReason = 'malformed' | 'signature' | 'not-officer' | 'org' | 'job' | 'device' | 'not-yet';

/** Whether `envelope` is the word of the officer who holds `device` that an attempt of `job` is over (invariant 5). */
export function checkFence(
  envelope: Envelope,
  { job, device }: { readonly job: JobId; readonly device: DeviceId },
  { keyring, now }: { readonly keyring: Keyring; readonly now: EpochMs },
): Decision<FenceReason, { fence: Verified<'fence'> }> {
  const read = tryRead('fence', envelope);
  const fence = tryVerify(read, ({ device: signer }) => {
    const key = keyring.deviceKey(signer);
    return key === undefined ? [] : [key];
  });
  if (fence === undefined) return { allow: false, reasons: [read === undefined ? 'malformed' : 'signature'] };
  const { body } = fence;
  const holds: readonly (readonly [FenceReason, boolean])[] = [
    ['not-officer', keyring.isOfficer(body.device)],
    ['org', body.org === keyring.org],
    ['job', body.job === job],
    ['device', body.device === device],
    ['not-yet', body.at <= now + CLOCK_SKEW_MS],
  ];
  const reasons = holds.flatMap(([reason, good]) => (good ? [] : [reason]));
  return reasons.length === 0 ? { allow: true, fence } : { allow: false, reasons };
}
