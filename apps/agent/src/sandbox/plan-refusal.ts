/** Which part of a specification a refusal is about. */
export type PlanRefusalCode =
  | 'level-missing'
  | 'slot'
  | 'command'
  | 'cwd'
  | 'environment'
  | 'mount'
  | 'network'
  | 'device'
  | 'limit'
  | 'limit-not-enforceable'
  | 'hostname'
  | 'too-large';

/** One reason why a specification cannot be run here; `at` names the field, values are never echoed. */
export interface PlanRefusal {
  readonly code: PlanRefusalCode;
  readonly at: string;
  readonly reason: string;
}
