/** A table, view or function of the schema as far as the application's role can reach it. */
export interface Relation {
  readonly name: string;
  /** pg_class.relkind: r table, p partitioned table, v view, m materialized view, f foreign table. */
  readonly kind: string;
  /** Whether it has a column `org`. */
  readonly scoped: boolean;
  readonly enabled: boolean;
  readonly forced: boolean;
  /** Whether the role holds any privilege on it. */
  readonly reachable: boolean;
  /** TRUNCATE is not subject to policies. */
  readonly truncates: boolean;
  readonly owned: boolean;
  /** Views only: whether it runs with the rights of whoever asks. */
  readonly invoker: boolean;
}

/** A permissive policy that applies to the application's role. */
export interface Policy {
  readonly table: string;
  readonly name: string;
  /** ALL, SELECT, INSERT, UPDATE or DELETE. */
  readonly command: string;
  readonly using: string | null;
  readonly check: string | null;
}

/** Attributes of a role that would put it above policies. */
export interface RoleFacts {
  readonly kind: 'app' | 'system';
  readonly superuser: boolean;
  readonly bypasses: boolean;
  /** Whether it may become the owner. */
  readonly actsAsOwner: boolean;
}

/** What boot found in the catalogue, and the tables of which the role saw a row with no organisation set. */
export interface IsolationFacts {
  readonly relations: readonly Relation[];
  readonly policies: readonly Policy[];
  readonly roles: readonly RoleFacts[];
  /** Functions that run with rights above policies. */
  readonly definers: readonly string[];
  readonly leaking: readonly string[];
}

/** Whether rows of one organisation can be hidden from another, or every reason why not. */
export type IsolationVerdict =
  | { readonly allow: true }
  | { readonly allow: false; readonly reasons: readonly string[] };

const NAMES_SETTING = /current_setting\('rf\.org'/;

/**
 * Judges row-level security of a whole schema: every table with a column `org` is under forced policies that name the setting, the
 * application reaches nothing else but `shared` tables, and no role stands above policies.
 */
export function judgeIsolation(facts: IsolationFacts, shared: readonly string[]): IsolationVerdict {
  const reasons = [
    ...facts.roles.flatMap(judgeRole),
    ...facts.relations.flatMap((relation) => judgeRelation(relation, shared)),
    ...facts.policies.flatMap(judgePolicy),
    ...facts.definers.map((name) => `function ${name} runs with rights above row-level security`),
    ...facts.leaking.map((name) => `a row of ${name} is visible with no organisation set`),
  ];
  return reasons.length === 0 ? { allow: true } : { allow: false, reasons };
}

function judgeRole({ kind, superuser, bypasses, actsAsOwner }: RoleFacts): string[] {
  return [
    ...(superuser ? [`the ${kind} role is a superuser`] : []),
    ...(bypasses ? [`the ${kind} role bypasses row-level security`] : []),
    ...(actsAsOwner ? [`the ${kind} role may act as the owner of the tables`] : []),
  ];
}

function judgeRelation(relation: Relation, shared: readonly string[]): string[] {
  const { name, kind, scoped, enabled, forced, reachable, truncates, owned, invoker } = relation;
  const own = owned ? [`the app role owns ${name}`] : [];
  if (kind === 'v') return reachable && !invoker ? [...own, `view ${name} is not security_invoker`] : own;
  if (kind === 'm' || kind === 'f') return reachable ? [...own, `${name} is reachable and cannot have policies`] : own;
  return [
    ...own,
    ...(truncates ? [`the app role may truncate ${name}`] : []),
    ...(scoped && !enabled ? [`${name} has no row-level security`] : []),
    ...(scoped && enabled && !forced ? [`${name} lacks FORCE ROW LEVEL SECURITY`] : []),
    ...(scoped && shared.includes(name) ? [`${name} has a column org but is declared shared`] : []),
    ...(!scoped && reachable && !shared.includes(name) ? [`${name} has no column org and is not declared shared`] : []),
  ];
}

function judgePolicy({ table, name, command, using, check }: Policy): string[] {
  const reads = command === 'INSERT' || NAMES_SETTING.test(using ?? '');
  // Without WITH CHECK the USING expression decides what may be written.
  const writes = check === null ? command !== 'INSERT' : NAMES_SETTING.test(check);
  return reads && writes ? [] : [`policy ${name} on ${table} does not compare with the current organisation`];
}
