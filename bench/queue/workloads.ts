// Kueue's baseline for its scheduler: kubernetes-sigs/kueue, test/performance/scheduler/configs/baseline, generator.yaml at cc13fff and rangespec.yaml at 056cce0.

/** The classes of workloads. */
export const CLASSES = ['small', 'medium', 'large'] as const;
/** One of {@link CLASSES}. */
export type WorkloadClass = (typeof CLASSES)[number];

/** What one queue is given of a class, and what is published of it. */
export type ClassOfWorkloads = {
  readonly count: number;
  readonly everyMs: number;
  readonly runMs: number;
  /** Kueue's are 50, 100 and 200; here they end at 100. */
  readonly priority: number;
  readonly units: number;
  readonly kueueAdmissionS: number;
};

/** Each queue gets all of these. */
export const WORKLOADS: Readonly<Record<WorkloadClass, ClassOfWorkloads>> = {
  small: { count: 350, everyMs: 100, runMs: 200, priority: 25, units: 1, kueueAdmissionS: 215.5 },
  medium: { count: 100, everyMs: 500, runMs: 500, priority: 50, units: 5, kueueAdmissionS: 76.8 },
  large: { count: 50, everyMs: 1_200, runMs: 1_000, priority: 100, units: 20, kueueAdmissionS: 6.7 },
};

export const COHORTS = 5;
export const QUEUES_OF_COHORT = 6;
/** Units that a queue has of its own; in a cohort it may use what others leave. */
export const UNITS_OF_QUEUE = 20;

/** A workload of a cohort, and when it is created after the start. */
export type Workload = { readonly class: WorkloadClass; readonly atMs: number };

/** The workloads of one cohort in the order of their creation; `share` of each class. */
export function workloadsOf(share: number): Workload[] {
  const each = CLASSES.flatMap((name) => {
    const { count, everyMs } = WORKLOADS[name];
    return Array.from({ length: Math.ceil(count * share) }, (_, index) => ({ class: name, atMs: index * everyMs }));
  });
  return Array.from({ length: QUEUES_OF_COHORT }, () => each)
    .flat()
    .toSorted((a, b) => a.atMs - b.atMs);
}
