import { policySetTextToParts, policyToJson, type PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/** One policy of a text: what it says, and its `@id`, if it has one. */
export interface PolicyText {
  readonly text: string;
  readonly id: string | undefined;
  readonly effect: PolicyJson['effect'] | undefined;
}

/** The policies of a Cedar text (docs.cedarpolicy.com), or why it is none; templates are none. */
export function policiesOf(source: string): readonly PolicyText[] | { readonly faults: readonly string[] } {
  const parts = policySetTextToParts(source);
  if (parts.type === 'failure') return { faults: parts.errors.map(({ message }) => message) };
  if (parts.policy_templates.length > 0) return { faults: ['a template is no policy'] };
  return parts.policies.map((text) => {
    const parsed = policyToJson(text);
    const json = parsed.type === 'success' ? parsed.json : undefined;
    return { text, id: json?.annotations?.['id'] ?? undefined, effect: json?.effect };
  });
}

/** By id; undefined where a policy has none, or two have one. */
export function byId(policies: readonly PolicyText[]): Record<string, string> | undefined {
  const found = new Map<string, string>();
  for (const { id, text } of policies) {
    if (id === undefined || id === '' || found.has(id)) return undefined;
    found.set(id, text);
  }
  return Object.fromEntries(found);
}
