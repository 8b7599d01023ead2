import { withCustodian } from '../attempt/with-custodian.ts';
import type { LinkContext } from '../link/link-context.ts';
import { Replicas } from './replicas.ts';

/** The custodian may be away for this long before nobody is let in any more. */
const TELL_WITHIN_MS = 7 * 86_400_000;

/** The replicas of a link, whose custodian is told. */
export function openReplicas(context: Pick<LinkContext, 'custodian' | 'clock' | 'log'>, folder: string): Replicas {
  return new Replicas({
    ...context,
    folder,
    tell: (report, signal) =>
      withCustodian(context, { within: TELL_WITHIN_MS, signal }, (custodian) => custodian.reportReplica(report)),
  });
}
