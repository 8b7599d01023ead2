import { RingfenceError } from '@ringfence/base';

/** Why a command did not do what it was asked. */
export type CliErrorCode =
  /** The words of the command line are wrong; exit code 2. */
  | 'usage'
  /** `ringfence org init` was not run with this home, or its files are damaged. */
  | 'no-profile'
  /** A profile exists already. */
  | 'profile-exists'
  /** A file cannot be read or written. */
  | 'bad-file'
  /** The other side's proof or signature is wrong. */
  | 'not-trusted'
  /** The job file asks for what this release cannot do. */
  | 'not-yet'
  /** Another platform’s file has keys that cannot be carried. */
  | 'not-carried'
  /** No offer can take the job. */
  | 'not-placeable'
  /** The person said no. */
  | 'declined'
  /** The job did not succeed. */
  | 'job-failed'
  /** Data at a site cannot be registered where it lies. */
  | 'not-registered'
  /** No gateway serves callers, or none can be reached. */
  | 'no-gateway'
  /** The endpoint answered with an error. */
  | 'call-failed'
  /** It is made of confidential or restricted data, and its owner has not released it to this device. */
  | 'not-released'
  /** There is no such thing. */
  | 'not-found'
  /** Something that was checked is not right. */
  | 'check-failed';

/** The one error class of this app. */
export class CliError extends RingfenceError<CliErrorCode> {}
