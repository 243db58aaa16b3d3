export { GeneratedKey, generateKeyFor } from './generated-key.ts';
export { type KeyAlgorithm, keyAlgorithms, type SigningKey } from './algorithms.ts';
export { generateSoftwareKey } from './generate-software-key.ts';
export { loadSoftwareKey, openTransportKey } from './load-software-key.ts';
export { MessageKey } from './message-key.ts';
export { SoftwareKey } from './software-key.ts';
