export { runSecureRound, type SimulatedParties } from './secure-round.ts';
export { simulate, type SimulatedRound, type SimulationPlan } from './simulate.ts';
