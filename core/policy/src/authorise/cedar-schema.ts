import type { ActionType, SchemaJson } from '@cedar-policy/cedar-wasm/nodejs';
import { ACTIONS, RESOURCE_TYPES } from './actions.ts';

const text = { type: 'String' } as const;
const roles = { type: 'Set', element: text } as const;
const entity = (attributes: Record<string, typeof text | typeof roles>) => ({
  shape: { type: 'Record' as const, attributes },
});

/** The Cedar schema that policies are validated against: the entities of a request, and one action for each row of {@link ACTIONS}. */
export function cedarSchema(): SchemaJson<string> {
  const resources = RESOURCE_TYPES.map((type) => [type, entity({ org: text })] as const);
  const actions = Object.entries(ACTIONS).map(([name, { principals, resource }]): [string, ActionType<string>] => [
    name,
    { appliesTo: { principalTypes: [...principals], resourceTypes: [resource] } },
  ]);
  return {
    '': {
      entityTypes: { ...Object.fromEntries(resources), Device: entity({ org: text, roles }) },
      actions: Object.fromEntries(actions),
    },
  };
}
