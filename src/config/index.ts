export type {
  AdminListener,
  ApiListener,
  Configuration,
  EncryptedKeyFile,
  EnrollListener,
  EstConfiguration,
  IssuerConfiguration,
  LimitsConfiguration,
  ListenerConfiguration,
  LogConfiguration,
  PolicyConfiguration,
  PostgresConfiguration,
  ProtocolsConfiguration,
  PublicListener,
  ScepConfiguration,
  SecretsConfiguration,
  SinkConfiguration,
  TlsConfiguration,
  TlsListener,
  VerifierConfiguration,
  WorkflowConfiguration,
} from './configuration.ts';
export { formatDuration, parseDuration } from './duration.ts';
export { initialConfiguration, type InitialSettings } from './initial.ts';
export { loadConfiguration, parseConfiguration } from './load.ts';
export { renderReference } from './reference-page.ts';
export { reloadable, type ReloadPlan } from './reload.ts';
export { readSecret, type Environment, type SecretReference } from './secret.ts';
