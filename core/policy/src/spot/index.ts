export { bucketMs, checkpointInterval, lossBucket, observedMtbf, type SeenLosses } from './checkpoint-interval.ts';
export { chooseMachine, type Machine, type SpotChoice, type SpotJob, type SpotView } from './uniform-progress.ts';
