export { removeEmbedded, startEmbedded, type EmbeddedOptions, type EmbeddedServer } from './start.ts';
