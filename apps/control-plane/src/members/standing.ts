import type { EpochMs, MemberId } from '@ringfence/base';
import { levelOf, type AssuranceLevel, type AssuranceMode, type Factor } from '@ringfence/policy/assurance';
import type { Asker } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { ASSURANCE_RULES } from './assurance-rules.ts';
import { asFactor, givenTo, type GivenFactor } from './given-factors.ts';

/** How surely this control plane knows who asks, as of now. */
export interface Standing {
  /** Null for a device that nobody stepped up. */
  readonly member: MemberId | null;
  readonly given: readonly GivenFactor[];
  /** Given ones, and a device's own signature over this request. */
  readonly factors: readonly Factor[];
  readonly level: AssuranceLevel;
}

type Parts = Pick<ControlPlaneContext, 'store' | 'clock'>;

/** The standing of who asks, read from the database. */
export async function standingOf({ store, clock }: Parts, asker: Asker): Promise<Standing> {
  const now = clock.now();
  const holder = 'device' in asker ? asker.device : asker.session;
  const given = await givenTo(store, asker.org, holder);
  const member = 'device' in asker ? await memberOfDevice(store, asker) : asker.member;
  const factors = factorsOf(asker, member === null ? [] : given, now);
  return { member, given, factors, level: levelOf(factors, ASSURANCE_RULES) };
}

/** What counts for who asks: what was given, and of a device the signature that it just made. */
export function factorsOf(asker: Asker, given: readonly GivenFactor[], now: EpochMs): readonly Factor[] {
  const own: Factor[] = 'device' in asker ? [{ kind: 'device-key', at: now }] : [];
  return [...own, ...given.map(asFactor)];
}

/** Whether organisations' members have factors here, by when an owner or officer first had one. */
export function modeSince(factorsSince: number | null): AssuranceMode {
  return factorsSince === null ? 'device-only' : 'factors';
}

async function memberOfDevice(
  store: Parts['store'],
  { org, device }: Extract<Asker, { device: unknown }>,
): Promise<MemberId | null> {
  const [row] = await store.queryOrg(
    org,
    (db) =>
      db
        .selectFrom('member_device')
        .innerJoin('member', 'member.member', 'member_device.member')
        .select('member.member')
        .where('device', '=', device)
        .where('state', '=', 'active')
        .compile(),
    { readOnly: true },
  );
  return row?.member ?? null;
}
