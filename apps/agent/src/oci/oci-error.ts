import { RingfenceError } from '@ringfence/base';

/** Why an image cannot be used. */
export type OciErrorCode =
  | 'bad-source'
  | 'not-allowed'
  | 'not-found'
  | 'refused'
  | 'unreachable'
  | 'bad-digest'
  | 'bad-image'
  | 'wrong-platform'
  | 'bad-layer'
  | 'too-large'
  | 'no-command';

/** The one error of images. Messages name what the job's owner wrote or an image holds, so they belong into the job's log and nowhere else. */
export class OciError extends RingfenceError<OciErrorCode> {}
