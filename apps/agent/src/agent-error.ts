import { RingfenceError } from '@ringfence/base';

/** Why the agent does not start, join, or go on with an attempt. */
export type AgentErrorCode =
  /** A flag or an environment variable cannot be used. */
  | 'bad-config'
  /** The join code cannot be read, or its custodian no longer takes it. */
  | 'bad-code'
  /** The custodian refuses the join, for another reason than the code. */
  | 'join-refused'
  /** The custodian did not prove that it knows the code, or handed over another keyring than the code names. */
  | 'wrong-custodian'
  /** The state folder has joined already. */
  | 'already-joined'
  /** The state folder has not joined anything. */
  | 'not-joined'
  /** A file of the state folder is damaged. */
  | 'bad-state'
  /** The address of a listener is in use, or not of this machine. */
  | 'cannot-listen'
  /** Another agent does not take requests of this gateway. */
  | 'not-admitted'
  /** The machine cannot keep jobs where they can be reached. */
  | 'no-work-folder'
  /** Something other than regular files and folders lies in an output. */
  | 'bad-output'
  /** The aggregator of a federation began anew, or another process speaks for this agent. */
  | 'session-over';

/** The one error class of this app; messages carry no payload. */
export class AgentError extends RingfenceError<AgentErrorCode> {}
