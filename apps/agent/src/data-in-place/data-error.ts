import { RingfenceError } from '@ringfence/base';

/** Why a folder of this site cannot be registered or mounted where it lies. */
export type DataErrorCode =
  /** It does not exist, or is no folder. */
  | 'not-found'
  /** It is not below a folder that the agent's operator listed. */
  | 'not-below-root'
  /** The user that the agent runs as, or the users of jobs, cannot read it. */
  | 'not-readable'
  /** Something other than folders, files and links lies in it. */
  | 'special-file'
  /** A name is not UTF-8, or cannot be written down. */
  | 'bad-name'
  /** A link in it leads out of it. */
  | 'link-outside'
  /** Another file system begins in it. */
  | 'other-file-system'
  /** Too many files, or too deep. */
  | 'too-large'
  /** A file changed while it was read. */
  | 'changing'
  /** Whoever asked left. */
  | 'aborted';

/** The one error class of data in place; messages name paths below the folder, so they are for its owner alone. */
export class DataError extends RingfenceError<DataErrorCode> {}
