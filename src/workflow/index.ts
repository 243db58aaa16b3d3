export { fewForEachDevice } from './at-once.ts';
export { type CallSettings, type ClientIdentity, type HttpsCall, httpsCalls } from './https-call.ts';
export { intune, type IntunePorts, type IntuneSettings } from './intune.ts';
export { headersOf, webhook, type WebhookPorts, type WebhookSettings } from './webhook.ts';
export { verifier, type VerifierPorts, type VerifierSettings } from './verifier.ts';
