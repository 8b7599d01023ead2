export { learnedPage } from './learned-page.ts';
export { LEARNED_BODIES, LEARNED_SOURCES, type LearnedSource } from './learned-sources.ts';
