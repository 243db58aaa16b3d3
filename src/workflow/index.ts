export { fewForEachDevice } from './at-once.ts';
export { type CallSettings, type HttpsCall, httpsCalls } from './https-call.ts';
export { intune, type IntunePorts, type IntuneSettings } from './intune.ts';
export { headersOf, webhook, type WebhookPorts, type WebhookSettings } from './webhook.ts';
