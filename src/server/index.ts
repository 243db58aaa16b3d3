export { readBody } from './body.ts';
export type { Connection } from './connection.ts';
export {
  type Handler,
  type ListenerSettings,
  type RunningListener,
  startListener,
  type TlsSettings,
} from './listener.ts';
export { publicDocuments, type PublicDocuments } from './public-documents.ts';
