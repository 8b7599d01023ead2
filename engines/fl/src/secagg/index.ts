export type {
  AggregatorCommand,
  AggregatorEvent,
  AggregatorOutcome,
  AggregatorPhase,
  AggregatorPorts,
} from './aggregator-events.ts';
export { readRecord, type AggregatorState, type AggregatorStep } from './aggregator-state.ts';
export { startAggregator, stepAggregator } from './aggregator.ts';
export type { ClientCommand, ClientEvent, ClientOutcome, ClientPorts } from './client-events.ts';
export { isOver, type ClientPhase, type ClientState, type ClientStep } from './client-state.ts';
export { resumeClient, startClient, stepClient, type ClientStart } from './client.ts';
export { degreeFor, type Degree, type DegreeQuestion } from './degree.ts';
export { SECAGG_REFUSALS, type SecAggRefusal } from './refusal-code.ts';
export {
  CHUNK_BYTES,
  LEAST_UNITS,
  MOST_MEMBERS,
  openRound,
  type Member,
  type Round,
  type RoundParameters,
} from './round.ts';
export { isTranscript, transcriptRoot } from './transcript.ts';
