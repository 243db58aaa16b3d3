export { apiHandler } from './handler.ts';
export type { ApiConnection, ApiListenerInForce, ApiPorts } from './call.ts';
