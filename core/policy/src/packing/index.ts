export * from './fgd-packer.ts';
export * from './fragmentation.ts';
export * from './gpu-node.ts';
