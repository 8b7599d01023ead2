import type { SchemaJson, Type } from '@cedar-policy/cedar-wasm/nodejs';

type Attribute = Type<string> & { readonly required?: boolean };

const text: Attribute = { type: 'String' };
const long: Attribute = { type: 'Long' };
const flag: Attribute = { type: 'Boolean' };
const texts: Attribute = { type: 'Set', element: { type: 'String' } };
const record = (attributes: Readonly<Record<string, Attribute>>): Attribute => ({ type: 'Record', attributes });
const optional = (attribute: Attribute): Attribute => ({ ...attribute, required: false });
const price = record({ microUnits: long, currency: text });

/** What an organisation policy can ask of a job; docs/policy.md says what each attribute is. */
const JOB = {
  name: text,
  type: text,
  sensitivity: text,
  sensitivityLevel: long,
  residency: texts,
  tiers: texts,
  isolation: text,
  isolationLevel: long,
  burst: text,
  spot: text,
  logs: text,
  egress: texts,
  datasets: texts,
  secrets: texts,
  customerKey: flag,
  gpus: long,
  priority: long,
  maxDurationSeconds: long,
  image: optional(text),
  purpose: optional(text),
  profile: optional(text),
  maxPrice: optional(price),
  budget: optional(price),
} satisfies Readonly<Record<string, Attribute>>;

/** And, at a start, of the machine. */
const PLACE = {
  tier: text,
  isolation: text,
  isolationLevel: long,
  jurisdictions: texts,
  site: text,
  agent: text,
  provider: optional(text),
  price: optional(price),
} satisfies Readonly<Record<string, Attribute>>;

const shape = (attributes: Readonly<Record<string, Attribute>>) => ({
  shape: { type: 'Record' as const, attributes },
});

/** The Cedar schema of organisation policies: one action, `job:run`, of a device on a job. */
export function jobPolicySchema(): SchemaJson<string> {
  return {
    '': {
      entityTypes: { Device: shape({ roles: texts }), Job: shape(JOB) },
      actions: {
        'job:run': {
          appliesTo: {
            principalTypes: ['Device'],
            resourceTypes: ['Job'],
            context: { type: 'Record', attributes: { place: optional(record(PLACE)) } },
          },
        },
      },
    },
  } as SchemaJson<string>;
}
