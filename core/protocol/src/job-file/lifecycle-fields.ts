import { RETRY_REASONS, type RetryReason } from '../fields.ts';
import { NOTIFY_EVENTS } from '../payload/workload.ts';
import { listOf, oneOf, record, wholeNumber, type ReadBy } from './read.ts';
import { sandboxPathValue, type SandboxPath } from './sandbox-path.ts';

/** What a job does when its agent has lost the control plane and the lease ends. */
export const ON_PARTITION = ['stop', 'keep'] as const;

/** One of {@link NOTIFY_EVENTS}. */
export type NotifyEvent = (typeof NOTIFY_EVENTS)[number];
/** One of {@link ON_PARTITION}. */
export type OnPartition = (typeof ON_PARTITION)[number];

/** When a job is tried again. */
export interface Retry {
  readonly on: readonly RetryReason[];
  /** Attempts after the first. */
  readonly max: number;
  /** Folder below an output that the next attempt finds as the last one left it. */
  readonly checkpoint: SandboxPath | undefined;
}

const DEFAULT_RETRIES = 3;

/** Reads the `retry` section. */
export const retryFields = record(
  { on: listOf(oneOf(RETRY_REASONS), 1, RETRY_REASONS.length), max: wholeNumber(1, 99), checkpoint: sandboxPathValue },
  ['on'],
);

/** Reads the `notify` section. */
export const notifyFields = record({ on: listOf(oneOf(NOTIFY_EVENTS), 1, NOTIFY_EVENTS.length) }, ['on']);

/** The `retry` section in the terms of the rest of the program; without one nothing is tried again. */
export function retryOf(values: ReadBy<typeof retryFields> | undefined): Retry {
  if (values === undefined) return { on: [], max: 0, checkpoint: undefined };
  return { on: values.on ?? [], max: values.max ?? DEFAULT_RETRIES, checkpoint: values.checkpoint };
}
