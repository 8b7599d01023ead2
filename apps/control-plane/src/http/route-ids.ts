import { isId, type JobId, type OfferId } from '@ringfence/base';
import { ControlPlaneError } from '../control-plane-error.ts';
import { noSuchJob } from '../jobs/job-view.ts';

type Parameters = Readonly<Record<string, string>>;

/** The job that a path names. Throws ControlPlaneError `not-found`. */
export function jobId(parameters: Parameters): JobId {
  const id = parameters['job'] ?? '';
  if (isId('job', id)) return id;
  throw noSuchJob();
}

/** The offer that a path names. Throws ControlPlaneError `not-found`. */
export function offerId(parameters: Parameters): OfferId {
  const id = parameters['offer'] ?? '';
  if (isId('offer', id)) return id;
  throw noSuchOffer();
}

/** The same answer for an offer of somebody else as for one that never was. */
export function noSuchOffer(): ControlPlaneError {
  return new ControlPlaneError('not-found', 'there is no such offer that takes jobs', {
    next: 'see `ringfence offers`',
  });
}
