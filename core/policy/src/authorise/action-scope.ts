import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

type EntityName = { readonly type: string; readonly id: string };

/** The actions that a scope names one by one; undefined where it names none. The schema has no groups of actions, so `in` is `==` with one of several. */
export function actionsNamed(action: PolicyJson['action']): readonly string[] | undefined {
  if (action.op === 'All') return undefined;
  if ('entities' in action) return action.entities.map((entity) => entityName(entity).id);
  return 'entity' in action ? [entityName(action.entity).id] : undefined;
}

/** An entity's name in either of the two forms that Cedar's JSON has for it. */
export function entityName(entity: EntityName | { readonly __entity: EntityName }): EntityName {
  return '__entity' in entity ? entity.__entity : entity;
}
