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

// Cedar keeps parsed sets under a name for the life of the process, so each policy takes a name of its own.
let policies = 0;

/**
 * An organisation policy in Cedar: every policy forbids, carries an `@id` of its own of small letters, digits and `-`, and validates strictly
 * against {@link jobPolicySchema}. Anything else is refused with what is wrong: a policy can only tighten.
 */
export function compileJobPolicy(
  source: string,
): { readonly policy: JobPolicy } | { readonly faults: readonly string[] } {
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
  policies += 1;
  const setName = `ringfence-jobs-${policies}`;
  const parsed = preparsePolicySet(setName, { staticPolicies });
  if (parsed.type === 'failure') return { faults: parsed.errors.map(({ message }) => message) };
  return { policy: { judge: (question) => judge(setName, question) } };
}

function judge(setName: string, question: JobQuestion): Decision<string> {
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
