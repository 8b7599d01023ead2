import {
  preparsePolicySet,
  statefulIsAuthorized,
  validate,
  type CedarValueJson,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { DeviceId, JobId } from '@ringfence/base';
import { ISOLATIONS, SENSITIVITIES, type Isolation, type Sensitivity, type Tier } from '@ringfence/protocol';
import type { Workload } from '@ringfence/protocol/payload';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { Decision } from '../decision.ts';
import { jobPolicySchema } from './job-policy-schema.ts';
import { byId, policiesOf } from './policy-texts.ts';

type Price = NonNullable<PlacementPart['maxPrice']>;

/** A machine that a job would start on, as the keyring and the receipt have it. */
export interface JobPlace {
  readonly tier: Tier;
  readonly isolation: Isolation;
  readonly jurisdictions: readonly string[];
  readonly site: string;
  readonly agent: string;
  readonly provider?: string | undefined;
  readonly price?: Price | undefined;
}

/** One question: may this device's job run, there? Before it is placed nothing is known of the place. */
export interface JobQuestion {
  readonly device: DeviceId;
  readonly roles: readonly string[];
  readonly job: JobId;
  readonly sensitivity: Sensitivity;
  readonly placement: PlacementPart;
  readonly workload: Workload;
  readonly profile?: string | undefined;
  readonly place?: JobPlace | undefined;
}

/** An organisation's policy, ready to be asked; a no names the policies that forbid, or `not-evaluated`. */
export interface JobPolicy {
  readonly judge: (question: JobQuestion) => Decision<string>;
}

/** What has to be so for a text to be an organisation's policy, beside Cedar's own rules. */
const POLICY_ID = /^[a-z0-9-]{1,40}$/;
/** What no policy permits is denied in Cedar: this one permits what the rest may forbid. */
const BUILT_IN = '@id("built-in") permit (principal, action == Action::"job:run", resource);';
/** A policy that could not be evaluated is skipped by Cedar; here it is a no (invariant 4). */
export const NOT_EVALUATED = 'not-evaluated';

type StaticPolicies = Record<string, string>;

/**
 * An organisation policy in Cedar: every policy forbids, carries an `@id` of its own of small letters, digits and `-`, and validates strictly
 * against {@link jobPolicySchema}. Anything else is refused with what is wrong: a policy can only tighten.
 */
export function compileJobPolicy(
  source: string,
): { readonly policy: JobPolicy } | { readonly faults: readonly string[] } {
  const read = readJobPolicy(source);
  if ('faults' in read) return read;
  const { staticPolicies } = read;
  const slot = nextSlot;
  nextSlot = (nextSlot + 1) % holders.length;
  return { policy: { judge: (question) => judge(slot, staticPolicies, question) } };
}

/** What keeps a text from being an organisation policy, as {@link compileJobPolicy} says it; empty when it is one. Keeps nothing. */
export function jobPolicyFaults(source: string): readonly string[] {
  const read = readJobPolicy(source);
  return 'faults' in read ? read.faults : [];
}

function readJobPolicy(
  source: string,
): { readonly staticPolicies: StaticPolicies } | { readonly faults: readonly string[] } {
  const parts = policiesOf(source);
  if ('faults' in parts) return parts;
  const faults = parts.flatMap(({ id, effect }, index) => {
    const name = id === undefined ? `policy ${index + 1}` : `policy ${id}`;
    return [
      ...(effect === 'forbid' ? [] : [`${name} permits: an organisation policy can only forbid`]),
      ...(id !== undefined && POLICY_ID.test(id) && id !== 'built-in'
        ? []
        : [`${name} needs an @id such as @id("no-community")`]),
    ];
  });
  const own = byId(parts);
  if (own === undefined && faults.length === 0) faults.push('two policies have one @id');
  if (own === undefined || faults.length > 0) return { faults };
  const staticPolicies = { ...own, 'built-in': BUILT_IN };
  const checked = validate({ schema: jobPolicySchema(), policies: { staticPolicies } });
  if (checked.type === 'failure') return { faults: checked.errors.map(({ message }) => message) };
  const found = [...checked.validationErrors, ...checked.validationWarnings];
  if (found.length > 0) return { faults: found.map(({ policyId, error }) => `policy ${policyId}: ${error.message}`) };
  return { staticPolicies };
}

// Cedar keeps parsed sets under a name for the life of the process: policies take a few names in turn, and one that lost its own takes it back.
const holders: (StaticPolicies | undefined)[] = Array.from({ length: 8 }, () => undefined);
let nextSlot = 0;

/** The name of a slot's parsed set, which holds these policies; undefined when they do not parse. */
function heldSet(slot: number, staticPolicies: StaticPolicies): string | undefined {
  const name = `ringfence-jobs-${slot}`;
  if (holders[slot] === staticPolicies) return name;
  holders[slot] = undefined;
  if (preparsePolicySet(name, { staticPolicies }).type === 'failure') return undefined;
  holders[slot] = staticPolicies;
  return name;
}

function judge(slot: number, staticPolicies: StaticPolicies, question: JobQuestion): Decision<string> {
  const setName = heldSet(slot, staticPolicies);
  if (setName === undefined) return { allow: false, reasons: [NOT_EVALUATED] };
  const { device, roles, job, place } = question;
  const principal = { type: 'Device', id: device };
  const resource = { type: 'Job', id: job };
  const answer = statefulIsAuthorized({
    principal,
    action: { type: 'Action', id: 'job:run' },
    resource,
    context: place === undefined ? {} : { place: placeAttributes(place) },
    preparsedPolicySetId: setName,
    entities: [
      { uid: principal, attrs: { roles: [...roles] }, parents: [] },
      { uid: resource, attrs: jobAttributes(question), parents: [] },
    ],
  });
  if (answer.type === 'failure' || answer.response.diagnostics.errors.length > 0)
    return { allow: false, reasons: [NOT_EVALUATED] };
  const { decision, diagnostics } = answer.response;
  return decision === 'allow' ? { allow: true } : { allow: false, reasons: diagnostics.reason.toSorted() };
}

type Attributes = Record<string, CedarValueJson>;

function jobAttributes({ sensitivity, placement, workload, profile }: JobQuestion): Attributes {
  const { maxPrice, budget, isolation } = placement;
  return {
    name: workload.name,
    type: placement.type,
    sensitivity,
    sensitivityLevel: SENSITIVITIES.indexOf(sensitivity),
    residency: placement.residency,
    tiers: placement.tiers,
    isolation,
    isolationLevel: ISOLATIONS.indexOf(isolation),
    burst: placement.burst,
    spot: placement.spot,
    logs: workload.logs,
    egress: workload.egress ?? [],
    datasets: workload.mounts.map(({ dataset }) => dataset),
    secrets: workload.secrets,
    customerKey: placement.customerKey === true,
    gpus: placement.resources.gpus?.count ?? 0,
    priority: placement.priority,
    maxDurationSeconds: Math.ceil(placement.maxDurationMs / 1_000),
    ...(workload.image === undefined ? {} : { image: workload.image }),
    ...(workload.purpose === undefined ? {} : { purpose: workload.purpose }),
    ...(profile === undefined ? {} : { profile }),
    ...(maxPrice === undefined ? {} : { maxPrice: amount(maxPrice) }),
    ...(budget === undefined ? {} : { budget: amount(budget) }),
  };
}

function placeAttributes({ tier, isolation, jurisdictions, site, agent, provider, price }: JobPlace): Attributes {
  return {
    tier,
    isolation,
    isolationLevel: ISOLATIONS.indexOf(isolation),
    jurisdictions: [...jurisdictions],
    site,
    agent,
    ...(provider === undefined ? {} : { provider }),
    ...(price === undefined ? {} : { price: amount(price) }),
  };
}

function amount({ microUnits, currency }: Price): Attributes {
  return { microUnits, currency };
}
