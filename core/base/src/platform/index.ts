export * from './armed-fault.ts';
export * from './atomic-file.ts';
export * from './disk-room.ts';
export * from './end-on-escape.ts';
export * from './fault-setting.ts';
export * from './held-folder.ts';
export * from './state-folder.ts';
export * from './system-clock.ts';
