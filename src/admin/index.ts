export type { ActInput, ActName, ActResult } from './acts.ts';
export type { Act } from './act.ts';
export { createSecret } from './acts/create-secret.ts';
export { createExternalAccountKey, externalAccountKeyInput } from './acts/create-external-account-key.ts';
export { createUnboundSecret } from './acts/create-unbound-secret.ts';
export type { ImportProblem, ImportReport } from './acts/import-devices.ts';
export { listExternalAccountKeysInput } from './acts/list-external-account-keys.ts';
export { listSecretsInput } from './acts/list-secrets.ts';
export { operatorReasons } from './acts/revoke-certificate.ts';
export { revokeSecret } from './acts/revoke-secret.ts';
export type { EntryView } from './acts/show-entry.ts';
export { voidExternalAccountKey } from './acts/void-external-account-key.ts';
export { type Admin, createAdmin } from './admin.ts';
export { parseJsonObject, parseQuery } from './http/body.ts';
export { adminHandler, type BodyLimits } from './http/handler.ts';
export {
  generateMachineToken,
  hashMachineToken,
  isMachineToken,
  type Machine,
  nameOfMachine,
} from './machine.ts';
export { liftableBeforehand } from './grant.ts';
export { newId } from './identifiers.ts';
export { type MachineScope, machineScopes } from './machine-scope.ts';
export { type Problem, statusOf } from './http/problem.ts';
export { requestFor } from './http/route-table.ts';
export { generateOperatorToken, hashOperatorToken, isOperatorName, type Operator } from './operator.ts';
export { definedOnly, type Page, pageOf } from './page.ts';
export { parseInput } from './parse-input.ts';
export type { AdminPorts, AdminSettings, Report } from './ports.ts';
export { type AdminSocket, type SocketOptions, startAdminSocket } from './socket.ts';
export type * from './external-account-store.ts';
export type * from './machine-store.ts';
export type * from './store.ts';
export type { AccountView } from './views/account.ts';
export type { CertificateView } from './views/certificate.ts';
export type { DeviceView } from './views/device.ts';
export { type ExternalAccountKeyView, externalAccountKeyView } from './views/external-account-key.ts';
export type { MachineView } from './views/machine.ts';
export type { RequestView } from './views/request.ts';
export { secretView, type SecretView } from './views/secret.ts';
