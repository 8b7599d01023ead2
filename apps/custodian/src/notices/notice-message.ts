import { createHmac } from 'node:crypto';
import { utf8, type EpochMs, type JobId, type Secret } from '@ringfence/base';
import type { NotifyEvent } from '@ringfence/protocol/payload';

/** What is told: the end of a job. */
export interface Notice {
  /** The same for every try, so that who hears it twice knows. */
  readonly id: string;
  readonly job: JobId;
  readonly outcome: NotifyEvent;
  readonly at: number;
  /** Told only where the operator said so. */
  readonly name?: string | undefined;
}

/** A notice as it travels: body and headers of one try, by the Standard Webhooks specification (standardwebhooks.com). */
export function noticeRequest(
  { id, job, outcome, at, name }: Notice,
  secret: Secret,
  now: EpochMs,
): { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> } {
  const state = outcome === 'stopped' ? 'cancelled' : outcome;
  // oxlint-disable-next-line no-restricted-globals -- writes out a moment that the clock gave
  const timestamp = new Date(at).toISOString();
  const data = { job, state, outcome, ...(name === undefined ? {} : { name }) };
  const text = JSON.stringify({ type: `job.${outcome}`, timestamp, data });
  const seconds = Math.floor(now / 1000);
  return {
    body: utf8(text),
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': webhookSignature(secret, { id, seconds, text }),
    },
  };
}

/** The header that proves a message: version 1, HMAC-SHA-256 over id, seconds since the epoch and body (Standard Webhooks, Signature scheme). */
export function webhookSignature(secret: Secret, of: { id: string; seconds: number; text: string }): string {
  const { id, seconds, text } = of;
  return `v1,${createHmac('sha256', secret.expose()).update(`${id}.${seconds}.${text}`).digest('base64')}`;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Waits after each try that failed, as Standard Webhooks proposes; after the last one the notice is given up. */
const WAITS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/** Milliseconds until the next try after `tries` failed ones, up to a tenth later than planned; undefined when there is none. */
export function waitAfter(tries: number, chance: number): number | undefined {
  const wait = WAITS[tries - 1];
  return wait === undefined ? undefined : Math.round(wait * (1 + chance / 10));
}
