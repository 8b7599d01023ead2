export { deriveNoteKey, type NotePurpose } from './derive-note-key.ts';
export { NoteKey, notePublicKey, notePublicKeyBytes, verifyNoteSignature, type NotePublicKey } from './note-key.ts';
