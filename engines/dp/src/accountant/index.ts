export { gaussianDelta, gaussianEpsilon, gaussianSigma } from './analytic-gaussian.ts';
export { calibrateNoise, type CalibrationTarget } from './calibrate-noise.ts';
export { DpError, type DpErrorCode } from './dp-error.ts';
export { deltaOf, epsilonOf, leastEpsilon, type PrivacyBounds } from './epsilon-of.ts';
export { rdpOfEvent } from './event-rdp.ts';
export { pldOf, type PldBounds } from './pld-bounds.ts';
export type {
  DiscreteGaussianEvent,
  GaussianEvent,
  LaplaceEvent,
  PrivacyEvent,
  PureEvent,
  SampledGaussianEvent,
  SkellamEvent,
  TreeEvent,
} from './privacy-event.ts';
export { composeRdp, RDP_ORDERS, repeatRdp, type RenyiCurve } from './rdp.ts';
export { deltaOfRdp, epsilonOfRdp } from './rdp-conversion.ts';
export { epsilonOfRun, type EpsilonBounds, type SampledGaussianRun } from './sampled-gaussian.ts';
