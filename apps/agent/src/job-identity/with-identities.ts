import { join } from 'node:path';
import { utf8 } from '@ringfence/base';
import { IDENTITY_FOLDER } from '@ringfence/protocol/payload';
import type { AttemptWork } from '../attempt/attempt-work.ts';
import { jobUser } from '../attempt/lay-out.ts';
import { AttemptEnd } from '../attempt/step-error.ts';
import { withCustodian } from '../attempt/with-custodian.ts';
import type { LinkContext } from '../link/link-context.ts';
import type { SandboxSpec } from '../sandbox/index.ts';
import { IdentityFiles } from './identity-files.ts';
import { JobIdentities, NoIdentity } from './job-identities.ts';

/** An attempt waits so long for its first tokens. */
const FIRST_WITHIN_MS = 20_000;

/** `spec` with the tokens that the job file asks for, which are there when this resolves. Throws AttemptEnd where there are none. */
export async function withIdentities(context: LinkContext, work: AttemptWork, spec: SandboxSpec): Promise<SandboxSpec> {
  const { clock, log } = context;
  const audiences = work.payload?.workload.identity;
  if (audiences === undefined) return spec;
  if (work.folder === undefined) throw new TypeError('only a prepared attempt has identities');
  const files = new IdentityFiles(join(work.folder, 'identity'), jobUser(context, spec.slot));
  const by = clock.monotonic() + FIRST_WITHIN_MS;
  let begun = false;
  work.identities = new JobIdentities({
    audiences,
    files,
    clock,
    log,
    leaseEnd: work.leased.end,
    ask: (audience, leaseMs) => {
      // Once it runs each turn asks once and looks again by itself.
      const within = begun ? 0 : Math.max(0, by - clock.monotonic());
      return withCustodian(context, { within, signal: work.cancelling.signal }, (custodian) =>
        custodian.identities.request({ ...work.id, audience, leaseMs }),
      );
    },
  });
  try {
    await work.identities.begin(FIRST_WITHIN_MS);
  } catch (cause) {
    const [file, reasons] = cause instanceof NoIdentity ? [cause.file, cause.reasons] : [undefined, ['no-answer']];
    const which = file === undefined ? '' : ` ${file}`;
    work.log?.write('err', utf8(`ringfence: not started without its identity${which}: ${reasons.join(', ')}\n`));
    work.failure ??= { class: 'platform' };
    throw new AttemptEnd({ outcome: 'not-started', reasons: ['identity', ...reasons], cause });
  }
  begun = true;
  const mount = { hostPath: files.folder, sandboxPath: IDENTITY_FOLDER, mode: 'ro' } as const;
  return { ...spec, mounts: [...spec.mounts, mount], env: { ...spec.env, RINGFENCE_IDENTITY: IDENTITY_FOLDER } };
}
