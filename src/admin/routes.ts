import type { ActName } from './acts.ts';

/** Where each act is on the socket. Parts in braces are members of its input; the rest comes by query (GET) or JSON body (POST). */
export const routes = {
  importDevices: 'POST /v1/devices/import',
  listDevices: 'GET /v1/devices',
  showDevice: 'GET /v1/devices/{id}',
  approveDevice: 'POST /v1/devices/{id}/approve',
  suspendDevice: 'POST /v1/devices/{id}/suspend',
  resumeDevice: 'POST /v1/devices/{id}/resume',
  retireDevice: 'POST /v1/devices/{id}/retire',
  eraseDevice: 'POST /v1/devices/{id}/erase',
  createSecret: 'POST /v1/secrets',
  listSecrets: 'GET /v1/secrets',
  revokeSecret: 'POST /v1/secrets/{id}/revoke',
  listRequests: 'GET /v1/requests',
  showRequest: 'GET /v1/requests/{id}',
  approveRequest: 'POST /v1/requests/{id}/approve',
  denyRequest: 'POST /v1/requests/{id}/deny',
  listCertificates: 'GET /v1/certificates',
  showCertificate: 'GET /v1/certificates/{id}',
  revokeCertificate: 'POST /v1/certificates/{id}/revoke',
  listEntries: 'GET /v1/log/entries',
  showEntry: 'GET /v1/log/entries/{id}',
  showCertificationRequest: 'GET /v1/log/entries/{id}/csr',
  proveEntry: 'GET /v1/log/entries/{id}/proof',
  showPolicies: 'GET /v1/policies',
  showStatus: 'GET /v1/status',
} as const satisfies Record<ActName, `${'GET' | 'POST'} /v1/${string}`>;
