export { learnedPage } from './learned-page.ts';
export type { LearnedSource } from './learned-source.ts';
export { LEARNED_BODIES, LEARNED_SOURCES } from './learned-sources.ts';
