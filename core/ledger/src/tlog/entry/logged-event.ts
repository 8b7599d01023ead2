import { fromHex, fromUtf8, toBase64Url } from '@ringfence/base';
import { LedgerError } from '../../ledger-error.ts';
import type { AuditEvent } from './audit-entry.ts';
import type { SealedSubject } from './audit-subject.ts';

/** A stored event of a ledger: its canonical body with hash, and what its log says of it beside. */
export interface StoredEvent {
  readonly at: number;
  readonly body: Uint8Array;
  readonly hash: string;
  /** What was sealed of persons for this event under its own entry id; null where nothing was. */
  readonly audit: { readonly id: string; readonly subjects: readonly SealedSubject[] } | null;
}

/** Whose ledger it is: who acts where the event names nobody. */
export interface LogKeeper {
  readonly kind: 'control-plane' | 'custodian';
  readonly id: string;
}

type Facts = Record<string, number | boolean | string>;

const CODE = /^[a-z0-9][a-z0-9.-]{0,63}$/;
const ID = /^[a-z]{3}_[a-z2-7]{26}$/;
const DIGEST = /^[0-9a-f]{64}$/;
/** Members whose values say why, and those whose first says who. */
const REASONS = new Set(['reason', 'refusal', 'fault', 'checks']);
/** States and decisions in which nobody got what they asked for. */
const REFUSED: ReadonlySet<unknown> = new Set(['refused', 'kept-closed']);
const MOST = 16;
/** What an actor of each kind is called in an event. */
const ACTORS = [
  ['device', 'device'],
  ['member', 'member'],
  ['account', 'service-account'],
] as const;

/**
 * The log's entry about a ledger's event: its ids become objects, its digests statements, its codes and numbers facts, and the
 * fact `ledger` is the hash of the event itself, so that nothing of it can be changed either. The same event gives the same entry, always.
 * Throws LedgerError `bad-event`.
 */
export function eventOfLedger({ at, body, hash, audit }: StoredEvent, keeper: LogKeeper): AuditEvent {
  const { org, event } = readBody(body);
  const found = new Found();
  for (const [member, value] of Object.entries(event)) if (member !== 'type') found.take(kebab(member), value);
  const { type } = event;
  return {
    v: 1,
    id: audit?.id ?? toBase64Url(fromHex(hash).subarray(0, 16)),
    at,
    org,
    actor: actorOf(event) ?? keeper,
    action: type,
    outcome:
      type.endsWith('refused') || REFUSED.has(event['state']) || REFUSED.has(event['decision']) ? 'refused' : 'done',
    reasons: found.reasons.slice(0, MOST),
    objects: [...found.objects].slice(0, MOST),
    statements: [...found.statements].slice(0, MOST),
    facts: { ...found.facts, ledger: hash },
    subjects: [...(audit?.subjects ?? [])],
  };
}

/** Who asked for it; events that name no asker name the device, and a member or account in them is what it happened to. */
function actorOf({ asker, device }: LedgerBody['event']): AuditEvent['actor'] | undefined {
  const named: object = typeof asker === 'object' && asker !== null ? asker : { device };
  for (const [member, id] of Object.entries(named))
    for (const [name, kind] of ACTORS) if (member === name && typeof id === 'string') return { kind, id };
  return undefined;
}

interface LedgerBody {
  readonly org: string;
  readonly event: { readonly type: string; readonly [member: string]: unknown };
}

function readBody(body: Uint8Array): LedgerBody {
  const parsed = JSON.parse(fromUtf8(body)) as Partial<LedgerBody>;
  if (typeof parsed.org !== 'string' || typeof parsed.event?.type !== 'string')
    throw new LedgerError('bad-event', 'this is no event of a ledger');
  return parsed as LedgerBody;
}

/** What an event's members come to. */
class Found {
  readonly objects = new Set<string>();
  readonly statements = new Set<string>();
  readonly reasons: string[] = [];
  readonly facts: Facts = {};

  take(name: string, value: unknown): void {
    if (typeof value === 'string') return this.#takeText(name, value);
    if (typeof value === 'number' || typeof value === 'boolean') return this.#fact(name, value);
    if (Array.isArray(value))
      for (const [at, item] of value.entries()) this.take(REASONS.has(name) ? name : `${name}.${at}`, item);
    else if (typeof value === 'object' && value !== null)
      for (const [member, inner] of Object.entries(value)) this.take(`${name}.${kebab(member)}`, inner);
  }

  #takeText(name: string, value: string): void {
    if (ID.test(value)) this.objects.add(value);
    else if (DIGEST.test(value)) this.statements.add(value);
    else if (REASONS.has(name) && CODE.test(value)) this.reasons.push(value);
    else this.#fact(name, value.toLowerCase());
  }

  /** What is no code is in the event alone, which the fact `ledger` holds. */
  #fact(name: string, value: number | boolean | string): void {
    if (!CODE.test(name) || (typeof value === 'string' && !CODE.test(value))) return;
    if (typeof value === 'number' && !Number.isSafeInteger(value)) return;
    this.facts[name] = value;
  }
}

function kebab(member: string): string {
  return member.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
