export {
  judgeOpening,
  type GivenWord,
  type OpeningDecision,
  type Source,
  type WantedOpening,
} from './judge-opening.ts';
export { isGated } from './is-gated.ts';
