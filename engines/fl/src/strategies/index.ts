export { boundedMean, randomBuckets, robustMean, type RobustRule } from './buckets.ts';
export { parseServerState, serverStateBytes } from './server-state-bytes.ts';
export { serverStep, startServer, type ServerState, type Strategy } from './server-step.ts';
