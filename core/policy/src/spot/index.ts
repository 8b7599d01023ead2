export { bucketMs, checkpointInterval, lossBucket, observedMtbf, type SeenLosses } from './checkpoint-interval.ts';
export { simulateJob, type SimulatedRun, type SpotWeather } from './simulate-job.ts';
export { chooseMachine, type Machine, type SpotChoice, type SpotJob, type SpotView } from './uniform-progress.ts';
